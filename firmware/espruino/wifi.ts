import type { Clock, Log, Random } from "../ports.ts";

/** Between two attempts to join: from the first to the longest, doubled each time. */
const FIRST_RETRY_SECONDS = 5;
const LONGEST_RETRY_SECONDS = 300;

/**
 * Joins a network and joins again whenever it is lost: Espruino itself gives up
 * after three attempts. `joined` is called the first time only; MQTT has its own
 * way back.
 */
export function joinWifi(
  ports: { clock: Clock; log: Log; random: Random },
  network: { ssid: string; password: string },
  joined: () => void,
): void {
  const wifi = require("Wifi");
  let first = true;
  let wait = FIRST_RETRY_SECONDS;
  let timer = 0;

  function join(): void {
    wifi.connect(network.ssid, { password: network.password }, function (error) {
      if (error) {
        retry();
        return;
      }
      // A loss may have been reported meanwhile: a link that is there is left alone.
      ports.clock.clearTimeout(timer);
      wait = FIRST_RETRY_SECONDS;
      ports.log("Wi-Fi joined");
      if (first) joined();
      first = false;
    });
  }

  function retry(): void {
    ports.clock.clearTimeout(timer);
    const jitter = 0.5 + ports.random(1).charCodeAt(0) / 255;
    ports.log("Wi-Fi not joined, trying again");
    timer = ports.clock.setTimeout(join, wait * jitter * 1000);
    wait = Math.min(wait * 2, LONGEST_RETRY_SECONDS);
  }

  wifi.on("disconnected", retry);
  join();
}
