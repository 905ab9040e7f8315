import type { AccessPoint, Wifi } from "../../firmware/espruino/wifi-module.ts";

/** Espruino's module "Wifi" in a test's hand. */
export interface HandWifi extends Wifi {
  /** The networks of each connect call, with the passwords. */
  attempts: string[];
  disconnects: number;
  /** The addresses of each setIP call. */
  set: { ip: string; netmask: string; gw: string }[];
  ip: string;
  station: string;
  rssi: number | undefined;
  /** What calls scan calls back; may throw. */
  onScan: (callback: (points: AccessPoint[]) => void) => void;
  /** Called at each connect call; may throw. */
  onConnect: () => void;
  /** Answers a connect call, the latest unless told otherwise. */
  answer(error: string | null, attempt?: number): void;
  emit(event: "associated" | "disconnected", details?: { msg: string }): void;
  /** The latest attempt gets its link and address. */
  accept(ip?: string): void;
}

export function createHandWifi(): HandWifi {
  const callbacks: ((error: unknown) => void)[] = [];
  const listeners: Record<string, (details: never) => void> = {};
  const wifi: HandWifi = {
    attempts: [],
    disconnects: 0,
    set: [],
    ip: "0.0.0.0",
    station: "NO_AP_FOUND",
    rssi: undefined,
    onConnect: () => {},
    connect(ssid, { password }, callback) {
      wifi.attempts.push(`${ssid}:${password}`);
      callbacks.push(callback);
      wifi.onConnect();
    },
    onScan: (callback) => callback([]),
    scan: (callback) => wifi.onScan(callback),
    disconnect() {
      wifi.disconnects++;
    },
    setIP(address) {
      wifi.set.push(address);
    },
    getIP: () => ({ ip: wifi.ip }),
    getStatus: () => ({
      station: wifi.station,
      ...(wifi.rssi === undefined ? {} : { rssi: wifi.rssi }),
    }),
    on(event: string, listener: (details: never) => void) {
      listeners[event] = listener;
    },
    answer(error, attempt = callbacks.length - 1) {
      callbacks[attempt]?.(error);
    },
    emit(event, details = { msg: "BEACON_TIMEOUT" }) {
      listeners[event]?.(details as never);
    },
    accept(ip = "192.0.2.10") {
      wifi.station = "connected";
      wifi.rssi = -61;
      wifi.emit("associated");
      wifi.ip = ip;
      wifi.answer(null);
    },
  };
  return wifi;
}
