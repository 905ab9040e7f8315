/** Deep sleep in the bundle that is flashed, on a simulated board, over simulated hours. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { DeviceTrust } from "../../cloud/keys/device-trust.ts";
import { writeFarewell } from "../../firmware/provision/farewell.ts";
import { bytes } from "../../protocol/bytes.ts";
import {
  createSleepMemory,
  RESET_DEEPSLEEP,
  RESET_POWERON,
} from "../../simulator/devcrypto/sleep.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { createSensorModels } from "../../simulator/i2c/models.ts";
import { bootBoard } from "../simulator/harness.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { makeTrust } from "../support/trust.ts";

const WIFI = { ssid: "the-network", password: "wifi-password" };
const BROKER = { host: "127.0.0.1", port: 9 };
const SLEEP_SECONDS = 600;
const AWAKE_SECONDS = 20;
const BOARD = {
  name: "sleeper",
  network: "wifi",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  sensors: [{ driver: "sht3x", address: 68, periodSeconds: 5, qos: 1 }],
  queue: { readings: 8, flash: 100 },
  sleep: { seconds: SLEEP_SECONDS, awakeSeconds: AWAKE_SECONDS },
};

let directory: string;
let remove: () => Promise<void>;
let trust: DeviceTrust;

beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("sleeper");
  trust = await makeTrust();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(async () => {
  vi.useRealTimers();
  await remove();
});

async function bundleOf(change: object): Promise<string> {
  return readFileSync((await bundleBoard(directory, { ...BOARD, ...change })).bundle, "utf8");
}

const ROOM = () => ({ celsius: 20, relativeHumidity: 50 });

it("keeps its session from wake to wake while no broker answers", async () => {
  const bundle = await bundleOf({});
  const storage = new Map<string, string>();
  const memory = createSleepMemory();
  for (let wake = 0; wake < 6; wake++) {
    memory.resetReason = wake > 0 ? RESET_DEEPSLEEP : RESET_POWERON;
    const crypto = openStandIn(join(directory, "keys"), memory);
    const slept: number[] = [];
    const { board, lines } = bootBoard(bundle, {
      board: BOARD,
      storage,
      settings: { brokers: [BROKER], ...trust, wifi: WIFI },
      devcrypto: crypto,
      wifi: [WIFI],
      wakeupCause: wake > 0 ? 4 : 0,
      sensors: createSensorModels(BOARD.sensors, ROOM),
      onSleep: (microseconds) => slept.push(microseconds),
    });
    await vi.advanceTimersByTimeAsync((AWAKE_SECONDS - 1) * 1000);
    expect([wake, slept]).toEqual([wake, []]);
    board.type("JSON.stringify(status())");
    const status = JSON.parse((lines.at(-1) as string).slice(1));
    // One reading a wake, though its period is shorter; no boot is counted.
    expect(status).toMatchObject({ queue: wake + 1, reset: wake > 0 ? 1 : 11, sessions: 1 });
    expect(status.boots).toBe(wake > 0 ? 0 : 1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(slept).toEqual([SLEEP_SECONDS * 1_000_000]);
    expect([board.running, lines.at(-1)]).toEqual([false, `asleep for ${SLEEP_SECONDS} s`]);
    // The key was there each time, or the counter would be higher.
    if (wake === 5) expect(crypto.nextDeviceCounter()).toBe(2);
    expect(crypto.ringCount()).toBe(wake + 1);
    crypto.close();
  }
});

it("sleeps though the module keeps nothing, and opens a session at each wake", async () => {
  const bundle = await bundleOf({});
  const storage = new Map<string, string>();
  for (let wake = 0; wake < 3; wake++) {
    const crypto = openStandIn(join(directory, "keys"));
    const slept: number[] = [];
    const { lines } = bootBoard(bundle, {
      board: BOARD,
      storage,
      settings: { brokers: [BROKER], ...trust, wifi: WIFI },
      devcrypto: crypto,
      wifi: [WIFI],
      wakeupCause: wake > 0 ? 4 : 0,
      sensors: createSensorModels(BOARD.sensors, ROOM),
      onSleep: (microseconds) => slept.push(microseconds),
    });
    await vi.advanceTimersByTimeAsync((AWAKE_SECONDS + 1) * 1000);
    expect(slept).toHaveLength(1);
    expect(lines.join("\n")).toContain("session not kept over sleep: ");
    if (wake === 2) expect(crypto.nextDeviceCounter()).toBe(4);
    crypto.close();
  }
});

it("does not sleep when it is deleted, until its last reply has gone or a day has passed", async () => {
  const bundle = await bundleOf({});
  const storage = new Map<string, string>();
  const crypto = openStandIn(join(directory, "keys"), createSleepMemory());
  const files = {
    read: () => undefined,
    write: (name: string, content: string) => void storage.set(name, content),
    erase: () => undefined,
  };
  writeFarewell(crypto, files, { kid: bytes("12345678"), reply: bytes("the last reply") });
  const slept: number[] = [];
  const { board, lines } = bootBoard(bundle, {
    board: BOARD,
    storage,
    settings: { brokers: [BROKER], ...trust, wifi: WIFI },
    devcrypto: crypto,
    wifi: [WIFI],
    sensors: createSensorModels(BOARD.sensors, ROOM),
    onSleep: (microseconds) => slept.push(microseconds),
  });
  await vi.advanceTimersByTimeAsync(10 * AWAKE_SECONDS * 1000);
  expect([board.running, slept]).toEqual([true, []]);
  board.type("JSON.stringify(status())");
  expect(JSON.parse((lines.at(-1) as string).slice(1))).toMatchObject({ state: "deprovisioned" });
  crypto.close();
});

it("stays awake on Linux, says so once and reads its sensors every period", async () => {
  const bundle = await bundleOf({ network: "host" });
  const crypto = openStandIn(join(directory, "keys"));
  const { board, lines } = bootBoard(bundle, {
    board: BOARD,
    settings: { brokers: [BROKER], ...trust },
    devcrypto: crypto,
    sensors: createSensorModels(BOARD.sensors, ROOM),
  });
  await vi.advanceTimersByTimeAsync((AWAKE_SECONDS + 2) * 1000);
  expect(lines.filter((line) => line.includes("deep sleep"))).toEqual([
    "no deep sleep on this board: it stays awake",
  ]);
  board.type("JSON.stringify(status())");
  expect(JSON.parse((lines.at(-1) as string).slice(1))).toMatchObject({ queue: 5 });
  board.powerOff();
  crypto.close();
});

it("is no part of the bundle of a board without sleep", async () => {
  const asleep = /asleep for|not kept over sleep|\.resumeSession\(|\.deepSleep\(/;
  expect(await bundleOf({})).toMatch(asleep);
  expect(await bundleOf({ sleep: undefined })).not.toMatch(asleep);
});
