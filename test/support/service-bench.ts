import type { BootGuard } from "../../firmware/boot-guard.ts";
import type { RunningDevice, System } from "../../firmware/ports.ts";
import type { ServiceState } from "../../firmware/service-state.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { createManualClock } from "./manual-clock.ts";

/** The service around a device that tells fixed numbers, each its own; what is done to the board is noted. */
export function createServiceBench() {
  const events: string[] = [];
  const lines: string[] = [];
  const packs: Bytes[] = [];
  const guard: BootGuard = {
    boots: 2,
    reason: 3,
    pauseSeconds: 600,
    lasted: () => events.push("lasted"),
    safeLasted: () => events.push("safeLasted"),
    restarting: (reason) => events.push(`restarting ${reason}`),
  };
  const system: System = {
    interpreter: {
      enableWatchdog: (seconds, isAuto) => events.push(`watchdog ${seconds} ${isAuto}`),
      kickWatchdog: () => events.push("kick"),
      reboot: () => events.push("reboot"),
    },
    process: { memory: () => ({ free: 2100 }), on: () => undefined },
    storage: { erase: (name) => events.push(`erase ${name}`) },
    esp32: { getWakeupCause: () => 0, getState: () => ({ freeHeap: 120000 }) },
    wifi: { getStatus: () => ({ rssi: -61 }) },
  };
  const clockTime: { unix: number | undefined } = { unix: undefined };
  const device: RunningDevice = {
    state: () => "streaming",
    vitals: () => ({
      kid: "0011223344556677",
      broker: "broker.example:1883",
      time: clockTime.unix,
      queued: 4,
      dropped: 5,
      sessions: 2,
      reconnects: 6,
      refused: 7,
      malformed: 8,
    }),
    rekey: () => true,
    sendNow: () => events.push("sendNow"),
    sendEvent: (pack) => packs.push(pack),
  };
  const clock = createManualClock();
  const service: ServiceState = {
    // All that the parts of the service call themselves.
    crypto: { eraseAll: () => events.push("eraseAll") } as unknown as DeviceCrypto,
    clock,
    log: (line) => lines.push(line),
    system,
    guard,
    errors: { count: 9, last: "boo" },
    report: (what, error) => lines.push(`${what}: ${(error as Error).message}`),
    state: "boot",
    device,
  };
  return { events, lines, packs, clockTime, clock, device, service };
}
