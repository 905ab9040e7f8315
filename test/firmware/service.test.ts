/** What keeps the board alive, in the bundle that is flashed, over simulated days. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DeviceTrust } from "../../cloud/keys/device-trust.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { type Bench, bootBoard } from "../simulator/harness.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { makeTrust } from "../support/trust.ts";

const WIFI = { ssid: "the-network", password: "wifi-password" };
const BROKER = { host: "127.0.0.1", port: 9, username: "broker-user", password: "broker-password" };
const SECRETS = [WIFI.password, BROKER.password];
const BOARD = {
  name: "guarded",
  network: "wifi",
  sensors: [],
  queue: { readings: 8 },
  led: { pin: "D2", activeLow: true },
  button: { pin: "D9", activeLow: true },
  health: { periodHours: 1 },
};
const MINUTE = 60_000;
/** Between two rounds of the service, where no LED makes them shorter. */
const ROUND = 20_000;

let directory: string;
let remove: () => Promise<void>;
let crypto: ReturnType<typeof openStandIn>;
let storage: Map<string, string>;
let trust: DeviceTrust;

beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("service");
  crypto = openStandIn(join(directory, "keys"));
  storage = new Map();
  trust = await makeTrust();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(async () => {
  vi.useRealTimers();
  crypto.close();
  await remove();
});

interface Run extends Bench {
  resets: string[];
  status(): { [name: string]: unknown };
}

const bundles = new Map<string, string>();

/** The bundle of the board, with `change` to its file; each is built once. */
async function bundleOf(change: object): Promise<string> {
  const key = JSON.stringify(change);
  const known = bundles.get(key);
  if (known !== undefined) return known;
  const files = await bundleBoard(directory, { ...BOARD, ...change });
  const bundle = readFileSync(files.bundle, "utf8");
  bundles.set(key, bundle);
  return bundle;
}

/** Switches a board on, on the storage that is there. */
async function power(change: object = {}, options: { pressed?: boolean; bare?: boolean } = {}) {
  const bundle = await bundleOf(change);
  if (!options.bare)
    storage.set("coseflow.json", JSON.stringify({ brokers: [BROKER], ...trust, wifi: WIFI }));
  const resets: string[] = [];
  const bench = bootBoard(bundle, {
    board: BOARD,
    storage,
    devcrypto: crypto,
    wifi: [WIFI],
    onReset: (cause) => resets.push(cause),
    beforeBoot: (simulated) => simulated.pins.drive("D9", !options.pressed),
  });
  const run: Run = {
    ...bench,
    resets,
    status() {
      bench.board.type("JSON.stringify(status())");
      return JSON.parse((bench.lines.at(-1) as string).slice(1));
    },
  };
  return run;
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** Boots that end before their minute. */
async function shortBoots(count: number): Promise<void> {
  for (let boot = 0; boot < count; boot++) (await power()).board.powerOff();
}

describe("a boot loop", () => {
  it("ends in safe mode, which spends nothing and restarts by itself", async () => {
    await shortBoots(4);
    const counter = crypto.nextDeviceCounter();
    const safe = await power();
    expect(safe.lines).toEqual([
      "console open: whoever holds the cable has this device",
      "state: safe",
      "safe mode (5 short boots in a row): restart in 10 min",
    ]);
    expect(safe.status()).toMatchObject({ state: "safe", boots: 5 });
    await pass(9 * MINUTE);
    expect(safe.resets).toEqual([]);
    expect(safe.lines.filter((line) => /Wi-Fi|mqtt|register/.test(line))).toEqual([]);
    expect(crypto.nextDeviceCounter()).toBe(counter + 1);
    await pass(MINUTE);
    expect(safe.resets).toEqual(["reboot"]);

    const attempt = await power();
    expect(attempt.status()).toMatchObject({ state: "network", boots: 4, reset: 3 });
    attempt.board.powerOff();
    const again = await power();
    expect(again.lines.at(-1)).toBe("safe mode (5 short boots in a row): restart in 20 min");
  });

  it("is none when each boot lasts a minute", async () => {
    for (let boot = 0; boot < 7; boot++) {
      const run = await power();
      expect(run.status()).toMatchObject({ boots: 1 });
      await pass(MINUTE + ROUND);
      run.board.powerOff();
    }
  });
});

describe("a device that runs", () => {
  it("signs no health record as long as no receipt has told the time", async () => {
    const run = await power();
    const counter = crypto.nextDeviceCounter();
    await pass(3 * 60 * MINUTE);
    expect(crypto.nextDeviceCounter()).toBe(counter + 1);
    expect(run.status()).toMatchObject({ state: "network", errors: 0 });
  });

  it("feeds the watchdog, which resets it when its timers are gone", async () => {
    const run = await power();
    await pass(60 * MINUTE);
    expect(run.resets).toEqual([]);
    run.board.type("clearTimeout()");
    await pass(2 * MINUTE);
    expect(run.resets).toEqual(["watchdog"]);
  });

  it("reports what nobody caught, and goes on", async () => {
    const run = await power();
    run.board.type(`setTimeout(function () { throw new Error("boo"); }, 1)`);
    await pass(10);
    expect(run.status()).toMatchObject({ errors: 1, lastError: "Uncaught: boo (at 0 s)" });
    expect(run.lines).toContain("Uncaught: boo");
  });

  it("shows its state on the LED", async () => {
    const run = await power();
    // From the first half second on, which shows the start. Active low: dark is high.
    await pass(600);
    const seen: boolean[] = [];
    for (let step = 0; step < 4; step++) {
      seen.push(!run.board.pins.level("D2"));
      await pass(1000);
    }
    expect(seen).toEqual([true, false, true, false]);
    expect(run.status()).toMatchObject({ state: "network" });
  });

  it("restarts, and restarts into safe mode, when a person says so", async () => {
    const first = await power();
    first.board.type("safe()");
    expect(first.resets).toEqual(["reboot"]);
    const safe = await power();
    expect(safe.lines.at(-1)).toBe("safe mode (asked for): restart in 10 min");
    safe.board.type("restart()");
    expect(safe.resets).toEqual(["reboot"]);
    expect((await power()).status()).toMatchObject({ state: "network", reset: 2 });
  });
});

describe("a device that cannot start", () => {
  it("says why, waits in safe mode and tries again", async () => {
    const run = await power({}, { bare: true });
    expect(run.lines.slice(1)).toEqual([
      "coseflow cannot start: coseflow.json, expected the device's settings in flash, got none",
      "state: safe",
      "safe mode (cannot start): restart in 10 min",
    ]);
    await pass(10 * MINUTE);
    expect(run.resets).toEqual(["reboot"]);
    const next = await power({}, { bare: true });
    expect(next.lines.at(-1)).toBe("safe mode (cannot start): restart in 20 min");
  });
});

describe("the button", () => {
  it("held at boot leads to safe mode, and to nothing else", async () => {
    const run = await power({}, { pressed: true });
    await pass(100);
    expect(run.lines.at(-1)).toBe("safe mode (button held): restart in 10 min");
    await pass(5 * MINUTE);
    expect(crypto.readRecord("boot")).not.toBeUndefined();
    expect(run.resets).toEqual([]);
  });

  it("held after the start restarts into safe mode", async () => {
    const run = await power();
    await pass(500);
    run.board.pins.drive("D9", false);
    await pass(2100);
    expect(run.resets).toEqual(["reboot"]);
    expect((await power()).lines.at(-1)).toBe("safe mode (asked for): restart in 10 min");
  });

  it("held for ten seconds erases keys and settings, in safe mode too", async () => {
    for (const pressed of [false, true]) {
      const run = await power({}, { pressed });
      await pass(MINUTE);
      run.board.pins.drive("D9", true);
      await pass(MINUTE);
      crypto.openDeviceKey();
      run.board.pins.drive("D9", false);
      await pass(10_000);
      expect(run.resets).toEqual([]);
      expect(crypto.hasKey("device")).toBe(true);
      await pass(100);
      expect(run.resets).toEqual(["reboot"]);
      expect(crypto.hasKey("device")).toBe(false);
      expect(crypto.readRecord("boot")).toBeUndefined();
      expect([...storage.keys()]).toEqual([]);
    }
  });
});

describe("the console", () => {
  it("never shows a password, whatever it is asked", async () => {
    const run = await power();
    await pass(10 * MINUTE);
    for (const name of ["status", "rekey", "sendNow"]) {
      run.board.type(`JSON.stringify(${name}())`);
      run.board.type(`${name}()`);
      run.board.type(`${name}.toString`);
    }
    run.board.type("safe()");
    const safe = await power();
    safe.status();
    safe.board.type("restart()");
    const text = [...run.lines, ...safe.lines].join("\n");
    expect(text).toContain("127.0.0.1:9");
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  });

  it("is gone when the board file locks it: no line, no answer, also in safe mode", async () => {
    for (let boot = 0; boot < 5; boot++) {
      const run = await power({ console: "locked" });
      run.board.type("print('still here')");
      run.board.type("restart()");
      await pass(1000);
      expect(run.lines).toEqual([]);
      expect(run.resets).toEqual([]);
      run.board.powerOff();
    }
  });
});
