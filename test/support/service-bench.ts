import { openBootGuard } from "../../firmware/boot-guard.ts";
import * as cold from "../../firmware/cold.ts";
import type { Delivery } from "../../firmware/delivery.ts";
import type { RunningDevice } from "../../firmware/device-ports.ts";
import { createLife } from "../../firmware/life.ts";
import type { System } from "../../firmware/ports.ts";
import type { ServiceState } from "../../firmware/service-state.ts";
import type { Session } from "../../firmware/session.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { createManualClock } from "./manual-clock.ts";

/** The first session of this boot, the newest, and the number of its last reading. */
export const FIRST_SESSION = 298;
export const SESSION = 300;
export const SEQUENCE = 12;

/** The service around a device that tells fixed numbers, each its own; what is done to the board is noted. */
export function createServiceBench() {
  const events: string[] = [];
  const lines: string[] = [];
  const packs: Bytes[] = [];
  const records = new Map<string, Bytes>();
  /** Error flags of the interpreter that nobody has looked at. */
  const flags: string[] = [];
  const system: System = {
    interpreter: {
      enableWatchdog: (seconds, isAuto) => events.push(`watchdog ${seconds} ${isAuto}`),
      kickWatchdog: () => events.push("kick"),
      getErrorFlags: () => flags.splice(0),
      reboot: () => events.push("reboot"),
    },
    process: { memory: () => ({ free: 2100 }), on: () => undefined },
    storage: {
      read: () => undefined,
      write: (name) => events.push(`write ${name}`),
      erase: (name) => events.push(`erase ${name}`),
    },
    esp32: { getWakeupCause: () => 0, deepSleep: () => {}, getState: () => ({ freeHeap: 120000 }) },
    wifi: { getStatus: () => ({ rssi: -61 }) },
  };
  // Of its session only what is asked for.
  const newest = { kid: "\x01\x2c", lastSequence: SEQUENCE } as Session;
  const cloud: { unix: number | undefined; isReceipted: boolean } = {
    unix: 1_700_000_000,
    isReceipted: true,
  };
  const delivery: Partial<Delivery> = {
    time: () => cloud.unix,
    queued: () => 4,
    losses: { readings: 5, told: 0, events: 1, kept: 6 },
    newest: () => newest,
    sessions: () => [newest, newest],
    rekey: () => cloud.isReceipted,
    event: (pack) => packs.push(pack),
  };
  const device: RunningDevice = {
    kid: "0011223344556677",
    delivery: delivery as Delivery,
    turn: {
      brokers: [],
      broker: { host: "broker.example", port: 1883, username: "u", password: "a-password" },
      failures: 0,
      blocked: false,
      opened: 0,
      clean: false,
      connects: 7,
      malformed: 8,
      unheard: 0,
    },
    refused: 9,
    firstSession: FIRST_SESSION,
    busy: 0,
    enroller: undefined,
    keepTrial: undefined,
    samples: [() => events.push("sample 1"), () => events.push("sample 2")],
  };
  const clock = createManualClock();
  const service: ServiceState = {
    cold: () => cold,
    // All that the parts of the service call themselves.
    crypto: {
      eraseAll: () => events.push("eraseAll"),
      readRecord: (id: string) => records.get(id),
      writeRecord: (id: string, content: Bytes) => records.set(id, content),
    } as unknown as DeviceCrypto,
    clock,
    log: (line) => lines.push(line),
    system,
    life: createLife(() => undefined),
    report: (error, what) => lines.push(`${what}: ${(error as Error).message}`),
    boots: 2,
    reason: 3,
    errors: 10,
    lastError: "boo",
    device,
  };
  /** What the next boot will find in the record. */
  const guard = () => openBootGuard(service.crypto, service.log);
  return { events, flags, lines, packs, cloud, clock, device, service, records, guard };
}
