import type { Events } from "./events.ts";
import type { Loop } from "./loop.ts";
import type { Realm, RealmFunction } from "./realm.ts";
import type { Timers } from "./timers.ts";

/** An access point in reach of a simulated board. */
export interface AccessPoint {
  ssid: string;
  password: string;
  /** False: a station is let in and gets no address, so its connect is never answered. */
  dhcp?: boolean;
}

/** Milliseconds for one attempt; a real chip needs seconds. */
const attemptMs = 50;
/** Espruino's own attempts, of a connect and, what is left of them, after the link is lost. */
const attempts = 3;
const address = { ip: "192.0.2.10", netmask: "255.255.255.0", gw: "192.0.2.1" };
const noAddress = { ip: "0.0.0.0", netmask: "0.0.0.0", gw: "0.0.0.0" };
const stationMac = "02:00:00:00:00:01";
const accessPointMac = "02:00:00:00:00:02";
/** In dBm. */
const rssi = -50;
const beaconTimeout = { reason: "200", msg: "BEACON_TIMEOUT" };

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
  /** The link breaks, as when the access point goes or a wall comes between. */
  lose(): void;
}

type Refusal = { reason: string; msg: string };

/** The chip's reason for not connecting, or the access point that lets it in. */
function approach(points: AccessPoint[], ssid: string, password: string): AccessPoint | Refusal {
  const point = points.find((known) => known.ssid === ssid);
  if (point === undefined) return { reason: "201", msg: "NO_AP_FOUND" };
  if (password !== point.password) return { reason: "15", msg: "4WAY_HANDSHAKE_TIMEOUT" };
  return point;
}

function isAddress(text: unknown): boolean {
  return typeof text === "string" && /^\d+(\.\d+){3}$/.test(text) && text !== noAddress.ip;
}

/**
 * require("Wifi") of an ESP32, as far as a station that connects needs it. `points` are
 * those in reach; the caller may change the list at any time.
 */
export function createWifi(ports: WifiPorts, points: AccessPoint[]): Wifi {
  const { realm, loop, events, timers } = ports;
  let target = { ssid: "", password: "" };
  let isAssociated = false;
  let isScanning = false;
  let hasAddress = false;
  let attemptsLeft = 0;
  let lastReason = "UNKNOWN";
  let timer = 0;
  let callback: RealmFunction | undefined;

  function emit(event: string, details: Record<string, unknown>): void {
    events.emit(module, event, [realm.object(details)]);
  }

  function answer(error: string | null): void {
    const done = callback;
    callback = undefined;
    loop.run(() => done?.(error));
  }

  /** A link that could not be made or is gone; while attempts are left nobody is told. */
  function down(why: Refusal): void {
    hasAddress = false;
    attemptsLeft--;
    if (attemptsLeft > 0) {
      attempt();
      return;
    }
    isAssociated = false;
    lastReason = why.msg;
    emit("disconnected", { ssid: target.ssid, mac: accessPointMac, ...why });
    answer(why.msg);
  }

  function attempt(): void {
    timers.remove(timer);
    timer = timers.add(
      () => {
        const found = approach(points, target.ssid, target.password);
        if ("reason" in found) {
          down(found);
          return;
        }
        isAssociated = true;
        emit("associated", { ssid: found.ssid, mac: accessPointMac, channel: "1" });
        if (found.dhcp === false) return;
        hasAddress = true;
        answer(null);
        emit("connected", { ...address });
      },
      attemptMs,
      false,
    );
  }

  function connect(ssid: unknown, options?: { password?: unknown }, done?: RealmFunction): void {
    if (typeof ssid !== "string") throw new Error("No SSID provided");
    if (options !== undefined && typeof options !== "object")
      throw new Error(`Expecting Object, got ${typeof options}`);
    const password = options?.password ?? "";
    if (typeof password !== "string")
      throw new Error(`Expecting options.password to be a string but got ${typeof password}`);
    // Espruino's buffers: one byte of an SSID and of a key's 64 digits does not fit.
    target = { ssid: ssid.slice(0, 31), password: password.slice(0, 63) };
    callback = done;
    hasAddress = false;
    attemptsLeft = attempts;
    attempt();
  }

  function disconnect(done?: RealmFunction): void {
    attemptsLeft = 0;
    timers.remove(timer);
    if (isAssociated || callback !== undefined) down({ reason: "8", msg: "ASSOC_LEAVE" });
    if (done !== undefined) loop.run(() => done());
  }

  function setIP(settings: unknown, done?: RealmFunction): void {
    if (typeof settings !== "object" || settings === null)
      throw new Error(`Expecting Object, got ${typeof settings}`);
    const { ip, gw, netmask } = settings as Record<string, unknown>;
    if (!isAddress(ip)) throw new Error("Not a valid IP address");
    if (!isAddress(gw)) throw new Error("Not a valid Gateway address");
    if (!isAddress(netmask)) throw new Error("Not a valid Netmask");
    if (typeof done !== "function") throw new Error("Callback is not a function");
    // Espruino leaves the DHCP client running, under which ESP-IDF takes no address; and
    // it has the two results of its callback the wrong way round: null is the failure.
    loop.run(() => done(null));
  }

  function scan(done: unknown): void {
    if (isScanning) throw new Error("A scan is already in progress");
    if (typeof done !== "function") throw new Error("Callback is not a function");
    isScanning = true;
    timers.add(
      () => {
        isScanning = false;
        const found = points.map(({ ssid, password }) =>
          realm.object({
            rssi,
            authMode: password === "" ? "open" : "wpa2",
            ssid,
            mac: accessPointMac,
            channel: "1",
          }),
        );
        loop.run(() => done(realm.array(found)));
      },
      attemptMs,
      false,
    );
  }

  function getStatus(): object {
    const station = isAssociated ? "connected" : lastReason;
    const mode = isAssociated ? "STA" : "NULL";
    const network = isAssociated ? { ssid: target.ssid, bssid: accessPointMac, rssi } : {};
    return realm.object({ station, ...network, mode, powersave: "min_modem" });
  }

  function getDetails(): object {
    return realm.object(
      isAssociated ? { ...target, status: "connected", authMode: "wpa2" } : { status: lastReason },
    );
  }

  const module: object = realm.object({
    connect,
    disconnect,
    scan,
    setIP,
    getStatus,
    getDetails,
    getIP: () => realm.object({ ...(hasAddress ? address : noAddress), mac: stationMac }),
  });
  return {
    module,
    online: () => hasAddress,
    lose() {
      if (isAssociated) down(beaconTimeout);
    },
  };
}
