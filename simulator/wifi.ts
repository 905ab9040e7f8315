import type { Events } from "./events.ts";
import type { Loop } from "./loop.ts";
import type { Realm, RealmFunction } from "./realm.ts";
import type { Timers } from "./timers.ts";

/** The one access point in reach of a simulated board. */
export interface AccessPoint {
  ssid: string;
  password: string;
}

/** Milliseconds from connect to an answer; a real chip needs seconds. */
const answerMs = 50;
const address = { ip: "192.0.2.10", netmask: "255.255.255.0", gw: "192.0.2.1" };
const stationMac = "02:00:00:00:00:01";
const accessPointMac = "02:00:00:00:00:02";

interface WifiPorts {
  realm: Realm;
  loop: Loop;
  events: Events;
  timers: Timers;
}

export interface Wifi {
  /** What require("Wifi") returns. */
  module: object;
  online(): boolean;
}

/** The chip's reason for not connecting: number and word, or undefined when it does. */
function refusal(point: AccessPoint, ssid: string, password: string) {
  if (ssid !== point.ssid) return { reason: "201", msg: "NO_AP_FOUND" };
  if (password !== point.password) return { reason: "15", msg: "4WAY_HANDSHAKE_TIMEOUT" };
  return undefined;
}

/** require("Wifi") of an ESP32, as far as a station that connects needs it. */
export function createWifi(ports: WifiPorts, point: AccessPoint): Wifi {
  const { realm, loop, events, timers } = ports;
  let isConnected = false;
  let lastReason = "UNKNOWN";

  function emit(event: string, details: Record<string, unknown>): void {
    events.emit(module, event, [realm.object(details)]);
  }

  function answer(ssid: string, password: string, done: RealmFunction | undefined): void {
    const refused = refusal(point, ssid, password);
    isConnected = refused === undefined;
    if (refused !== undefined) {
      lastReason = refused.msg;
      emit("disconnected", { ssid, mac: accessPointMac, ...refused });
    } else emit("associated", { ssid, mac: accessPointMac, channel: "1" });
    loop.run(() => done?.(refused === undefined ? null : refused.msg));
    if (refused === undefined) emit("connected", { ...address });
  }

  function connect(ssid: unknown, options?: { password?: unknown }, done?: RealmFunction): void {
    if (typeof ssid !== "string") throw new Error("No SSID provided");
    if (options !== undefined && typeof options !== "object")
      throw new Error(`Expecting Object, got ${typeof options}`);
    const password = options?.password ?? "";
    if (typeof password !== "string")
      throw new Error(`Expecting options.password to be a string but got ${typeof password}`);
    timers.add(() => answer(ssid, password, done), answerMs, false);
  }

  function disconnect(done?: RealmFunction): void {
    if (isConnected) {
      isConnected = false;
      lastReason = "ASSOC_LEAVE";
      emit("disconnected", { ssid: point.ssid, mac: accessPointMac, reason: "8", msg: lastReason });
    }
    if (done !== undefined) loop.run(() => done());
  }

  function getStatus(): object {
    const station = isConnected ? "connected" : lastReason;
    const mode = isConnected ? "STA" : "NULL";
    const network = isConnected ? { ssid: point.ssid, bssid: accessPointMac, rssi: -50 } : {};
    return realm.object({ station, ...network, mode, powersave: "min_modem" });
  }

  const module: object = realm.object({
    connect,
    disconnect,
    getStatus,
    getIP: () => realm.object(isConnected ? { ...address, mac: stationMac } : { mac: stationMac }),
  });
  return { module, online: () => isConnected };
}
