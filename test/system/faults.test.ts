/**
 * One fault at each packet and each byte between device and broker, in runs that are
 * counted through: every measurement arrives, once, and the history is a good one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import { readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import { type Cloud, startCloud } from "../../cloud/service.ts";
import { BROKERS, type TestBroker } from "../support/brokers.ts";
import { temporaryDirectory } from "../support/built.ts";
import {
  BYTE_FAULTS,
  type Fault,
  PACKET_FAULTS,
  type SeenPacket,
  startFaultProxy,
} from "../support/fault-proxy.ts";
import { readCloud } from "../support/history/cloud-rows.ts";
import { checkHistory } from "../support/history.ts";
import { createWireDevice } from "../support/wire-device.ts";

const isNightly = process.env.COSEFLOW_NIGHTLY === "1";
const NIGHTLY_MS = 3 * 3600_000;
/** Faults at bytes in a daily run, spread evenly. */
const DAILY_BYTES = 60;
const AT_ONCE = 12;
const MEASUREMENTS = 4;
/**
 * Seconds of the device, whose clock a busy machine does not hurry. A changed bit can leave it
 * subscribed to nothing: it has to notice by itself, after three repeats, which take up to 130 s.
 * A life that is well does not wait for this.
 */
const LONGEST_SECONDS = 3000;
/** The last receipt and its acknowledgement may meet a fault too. */
const TAIL_SECONDS = 4;
/** As many as a reader can look at. */
const SHOWN = 5;

describe.each(BROKERS)("faults between device and broker, on %s", (_name, startBroker) => {
  const cleanUp: (() => unknown)[] = [];
  /** What each run waits for, by the device's kid. */
  const watchers = new Map<string, () => void>();
  let broker: TestBroker;
  let cloud: Cloud;
  let directory: string;
  let kek: Buffer;

  beforeAll(async () => {
    broker = await startBroker();
    cleanUp.push(() => broker.close());
    const [temporary, remove] = await temporaryDirectory("faults");
    directory = temporary;
    cleanUp.push(remove);
    await initKeys(join(directory, "keys"));
    kek = readFileSync(join(directory, "keys", "kek.bin"));
    cloud = await startCloud({
      broker: broker.url,
      keys: join(directory, "keys"),
      database: join(directory, "cloud.db"),
      receiptDelayMs: 10,
      onReading: ({ kid }) => watchers.get(kid)?.(),
    });
    cleanUp.push(() => cloud.close());
  });
  afterAll(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  /** One device's life with at most one fault; what was wrong with it. */
  async function live(fault?: Fault): Promise<{ seen: SeenPacket[]; violations: string[] }> {
    const proxy = await startFaultProxy(broker.port, fault);
    const device = createWireDevice(MEASUREMENTS);
    const { kid } = await cloud.registerDevice(device.publicKey);
    const stored = new Promise<boolean>((resolve) => {
      let count = 0;
      watchers.set(kid, () => {
        if (++count === MEASUREMENTS) resolve(true);
      });
    });
    try {
      device.start(proxy.port, readDeviceTrust(join(directory, "keys")));
      await Promise.race([stored, device.wait(LONGEST_SECONDS)]);
      await device.wait(TAIL_SECONDS);
    } finally {
      watchers.delete(kid);
      device.powerOff();
      await proxy.close();
    }
    return { seen: proxy.seen, violations: judge(device, fault, proxy.isInjected()) };
  }

  function judge(
    device: ReturnType<typeof createWireDevice>,
    fault: Fault | undefined,
    isInjected: boolean,
  ): string[] {
    const { thumbprint, events, produced, uncaught } = device;
    const database = new Database(join(directory, "cloud.db"), { readonly: true });
    try {
      const content = readCloud(database, kek, thumbprint);
      const arrived = Array.from({ length: MEASUREMENTS }, (_, index) => index);
      const history = { thumbprint, events, produced, arrived, mayRefuse: [] };
      const violations = checkHistory({ ...history, cloud: { ...content, refused: {} } });
      if (fault && !isInjected) violations.push("fault: it did not come about");
      return violations.concat(uncaught.map((error) => `uncaught: ${(error as Error).stack}`));
    } finally {
      database.close();
    }
  }

  /** All faults of these kinds at the packets that a life without one has. */
  async function faultsAt(kinds: readonly Fault["kind"][]): Promise<Fault[]> {
    const lives = [await live(), await live(), await live()];
    expect(lives.flatMap(({ violations }) => violations)).toEqual([]);
    // On a busy machine a device may repeat itself: what every life has is wanted.
    lives.sort((one, other) => one.seen.length - other.seen.length);
    const [{ seen }] = lives as [Awaited<ReturnType<typeof live>>];
    const counts = { up: 0, down: 0 };
    return seen.flatMap(({ direction, length }) => {
      const packet = counts[direction]++;
      return kinds.flatMap((kind): Fault[] => {
        if (kind !== "flip" && kind !== "truncate") return [{ kind, direction, packet }];
        return Array.from({ length }, (_, at) => ({ kind, direction, packet, at }));
      });
    });
  }

  /** Lives through them, several at a time. Faults that the run did not reach are not counted. */
  async function liveThrough(faults: Fault[]): Promise<void> {
    const failures: string[] = [];
    let injected = 0;
    const waiting = [...faults];
    async function work(): Promise<void> {
      for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
        const { violations } = await live(fault);
        // The last packets of a life differ from one to the next.
        const isMissed = violations.length === 1 && violations[0]?.startsWith("fault:");
        if (!isMissed) injected++;
        if (!isMissed && violations.length > 0)
          failures.push(`${JSON.stringify(fault)}\n${violations.join("\n")}`);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    console.log(`${injected} faults of ${faults.length} injected`);
    expect(failures.slice(0, SHOWN)).toEqual([]);
    expect(injected).toBeGreaterThan(faults.length / 2);
  }

  it("at each packet: all arrives once, and nothing is refused", {
    timeout: NIGHTLY_MS,
  }, async () => {
    await liveThrough(await faultsAt(PACKET_FAULTS));
    expect((await cloud.counts()).refused).toEqual({});
  });

  it("at bytes: all arrives once", { timeout: NIGHTLY_MS }, async () => {
    const all = await faultsAt(BYTE_FAULTS);
    const step = isNightly ? 1 : all.length / DAILY_BYTES;
    const chosen: Fault[] = [];
    for (let at = 0; at < all.length; at += step) chosen.push(all[Math.floor(at)] as Fault);
    await liveThrough(chosen);
    expect((await cloud.counts()).refused["counter-conflict"]).toBeUndefined();
  });
});
