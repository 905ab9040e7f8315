/**
 * A board that has no Wi-Fi network, or waits in safe mode, takes one from whoever holds the
 * cable. In setup it measures and sends nothing and opens no key.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { RESET_CONSOLE, STABLE_SECONDS } from "../boot-guard.ts";
import { restart, type ServiceState } from "../service-state.ts";
import { createImprov, type ImprovPorts } from "./improv.ts";

/** One line this often. */
const REPORT_SECONDS = 60;
/** The answer is on its way by then. */
const RESTART_MS = 1000;

export type SetupService = Pick<
  ServiceState,
  "cold" | "clock" | "crypto" | "log" | "boots" | "system"
>;

/** Says now and then what it waits for. A minute of it, and the boot has lasted. */
export function runSetup(service: SetupService): void {
  const clock = service.clock;
  const began = clock.uptime();
  let lasted = false;

  function report(): void {
    service.log("setup: no Wi-Fi network; give one by Improv (coseflow wifi)");
    if (!lasted && clock.uptime() - began >= STABLE_SECONDS) {
      lasted = true;
      service.cold().openBootGuard(service.crypto, service.log).lasted();
    }
    clock.setTimeout(report, REPORT_SECONDS * 1000);
  }

  report();
}

/** Answers Improv on the line that `open` gives: it takes what takes packets, and gives what sends them. */
export function startImprov(
  service: SetupService,
  radio: Pick<ImprovPorts, "scan" | "join"> & { info: string[]; readSettings: () => unknown },
  open: (onPacket: (type: number, data: Bytes) => void) => ImprovPorts["send"],
): void {
  const crypto = service.crypto;
  const log = service.log;

  const take = createImprov({
    log: log,
    send: (packet) => send(packet),
    info: radio.info,
    scan: radio.scan,
    check: (network) => service.cold().checkWifi(crypto, log, radio.readSettings(), network),
    join: radio.join,
    keep: (network) => service.cold().keepWifi(crypto, log, network),
    restart() {
      service.clock.setTimeout(() => restart(service, RESET_CONSOLE), RESTART_MS);
    },
  });
  const send = open(take);
}
