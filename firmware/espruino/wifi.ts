import { backoffMs } from "../backoff.ts";
import type { WifiNetwork } from "../network-settings.ts";
import type { Clock, Log, Random } from "../ports.ts";
import type { Wifi } from "./wifi-module.ts";

/** For Espruino's three attempts and DHCP; what has not answered by then never will. */
const JOIN_MS = 60000;
/**
 * Espruino tells of a failure and stops the radio a moment later: an attempt that began
 * in between would be stopped with it.
 */
const LEAST_PAUSE_MS = 1000;
/**
 * A link that is there is looked at this often. Espruino itself joins again, twice and
 * without a word, and may be left without an address. A link that passed has been a success.
 */
const LOOK_MS = 60000;

const WAITING = 0;
const JOINING = 1;
const JOINED = 2;

/** Signal strength in dBm; undefined without a link. */
export function readRssi(wifi: Wifi): number | undefined {
  return wifi.getStatus().rssi;
}

/**
 * Joins one of the networks, in turn, and joins again whenever the link is lost.
 * `joined` is called the first time only; MQTT has its own way back.
 */
export function joinWifi(
  ports: { wifi: Wifi; clock: Clock; log: Log; random: Random },
  networks: WifiNetwork[],
  joined: () => void,
): void {
  const wifi = ports.wifi;
  let network = networks[0] as WifiNetwork;
  let phase = JOINING;
  /** Attempts ever: an answer to an earlier one counts no more. */
  let attempts = 0;
  let failures = 0;
  let stable = false;
  let first = true;
  let timer = 0;

  function startTimer(milliseconds: number): void {
    ports.clock.clearTimeout(timer);
    timer = ports.clock.setTimeout(onTimer, milliseconds);
  }

  /** Ends an attempt or a link; another attempt follows, at the next network if this one failed. */
  function leave(reason: string): void {
    phase = WAITING;
    attempts++;
    if (stable) failures = 0;
    else network = networks[(networks.indexOf(network) + 1) % networks.length] as WifiNetwork;
    stable = false;
    failures++;
    const pause = LEAST_PAUSE_MS + backoffMs(Math.ceil(failures / networks.length), ports.random);
    ports.log(`Wi-Fi: ${reason}; next attempt in ${Math.ceil(pause / 1000)} s`);
    startTimer(pause);
  }

  function onJoined(): void {
    const wanted = network.address;
    const ip = wifi.getIP().ip;
    phase = JOINED;
    startTimer(LOOK_MS);
    ports.log(`Wi-Fi: joined ${network.ssid} as ${ip}, ${readRssi(wifi)} dBm`);
    if (wanted && wanted.ip !== ip)
      ports.log(`Wi-Fi: address, expected ${wanted.ip}, got DHCP's: this Espruino does not set it`);
    if (!first) return;
    first = false;
    joined();
  }

  function join(): void {
    attempts++;
    const attempt = attempts;
    phase = JOINING;
    startTimer(JOIN_MS);
    try {
      wifi.connect(network.ssid, { password: network.password }, function (error) {
        if (attempt !== attempts) return;
        if (error) leave(`not joined, ${error}`);
        else onJoined();
      });
    } catch (error) {
      leave(`not joined, ${error}`);
    }
  }

  function hasLink(): boolean {
    const ip = wifi.getIP().ip;
    return wifi.getStatus().station === "connected" && ip !== undefined && ip !== "0.0.0.0";
  }

  function onTimer(): void {
    if (phase === WAITING) join();
    else if (phase === JOINED && hasLink()) {
      stable = true;
      startTimer(LOOK_MS);
    } else {
      leave(phase === JOINED ? "lost" : "not joined, no answer");
      wifi.disconnect();
    }
  }

  wifi.on("disconnected", function (details) {
    // While joining, the callback says it too.
    if (phase === JOINED) leave(`lost, ${details.msg}`);
  });
  if (network.address)
    // Before that there is no interface to give an address to.
    wifi.on("associated", function () {
      const address = network.address;
      if (address)
        wifi.setIP({ ip: address.ip, netmask: address.netmask, gw: address.gateway }, () => {});
    });
  join();
}
