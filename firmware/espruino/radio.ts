/** Wi-Fi for a board in setup: a look at what is in the air, and one attempt to join. */
import type { WifiNetwork } from "../network-settings.ts";
import type { Clock } from "../ports.ts";
import type { FoundNetwork } from "../setup/improv.ts";
import type { AccessPoint, Wifi } from "./wifi-module.ts";

/** Espruino's three attempts and DHCP; clients of Improv wait for 30 seconds. */
const JOIN_MS = 25000;
const SCAN_MS = 10000;
/**
 * Espruino tells of an end and stops the radio a moment later: what began in between would
 * be stopped with it. So the end is told on after this long.
 */
const REST_MS = 1000;
/** The first after an attempt to join may find nothing: Espruino tries that network again with it. */
const SCANS = 2;
/** The strongest count: nobody reads on. */
const MAX_FOUND = 20;

/** Each network once, the strongest first, and none that hides its name. */
function sortFound(points: AccessPoint[]): FoundNetwork[] {
  const found: FoundNetwork[] = [];
  points.sort((a, b) => b.rssi - a.rssi);
  points.forEach(function (point) {
    const isKnown = found.some((other) => other.ssid === point.ssid);
    if (point.ssid === "" || isKnown || found.length >= MAX_FOUND) return;
    found.push({ ssid: point.ssid, rssi: point.rssi, isOpen: point.authMode === "open" });
  });
  return found;
}

export function createRadio(wifi: Wifi, clock: Clock) {
  /** Begins something that ends once: when it says so, or has not for this long. */
  function attempt<T>(
    milliseconds: number,
    begin: (end: (result: T) => void) => void,
    late: () => T,
    done: (result: T) => void,
  ): void {
    let isOver = false;

    function end(result: T): void {
      if (isOver) return;
      isOver = true;
      clock.clearTimeout(timer);
      clock.setTimeout(() => done(result), REST_MS);
    }

    const timer = clock.setTimeout(() => end(late()), milliseconds);
    begin(end);
  }

  function look(left: number, done: (found: FoundNetwork[] | undefined) => void): void {
    attempt<AccessPoint[] | undefined>(
      SCAN_MS,
      function (end) {
        try {
          wifi.scan(end);
        } catch {
          end(undefined);
        }
      },
      () => undefined,
      function (points) {
        if (points && points.length === 0 && left > 1) look(left - 1, done);
        else done(points && sortFound(points));
      },
    );
  }

  function join(network: WifiNetwork, done: (why: string | undefined) => void): void {
    attempt<string | undefined>(
      JOIN_MS,
      function (end) {
        try {
          wifi.connect(network.ssid, { password: network.password }, function (error) {
            end(error ? "not joined, " + error : undefined);
          });
        } catch (error) {
          end("not joined, " + error);
        }
      },
      function () {
        wifi.disconnect();
        return "not joined, no answer";
      },
      done,
    );
  }

  return {
    scan: (done: (found: FoundNetwork[] | undefined) => void) => look(SCANS, done),
    join: join,
  };
}
