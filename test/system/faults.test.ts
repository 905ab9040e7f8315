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
import { type Bytes, fromHex } from "../../protocol/bytes.ts";
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
import { openWireOperator, type WireOperator } from "../support/wire-operator.ts";

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
/**
 * The bit may also be one of the topic of commands, which nothing misses that comes. The next
 * connection mends that: it is made to come after so many seconds of the device.
 */
const DEAF_SECONDS = 300;
/**
 * A life goes on for so many rounds more, if it has to, until its fault has come about: with
 * a measurement, an event and a command each, so that the longest packets come once more too.
 */
const MOST_EXTRA = 8;
/** Between two of these, and two looks for them: seconds of the device. */
const EXTRA_SECONDS = 6;
const LOOK_SECONDS = 1;
/** What the operator has the device measure by. */
const UPDATED_SECONDS = 2;
/** Of the faults that are to come about; the longest packet of a life may be shorter than it was in another. */
const LEAST_INJECTED = 0.99;
/** The last receipt and its acknowledgement may meet a fault too. */
const TAIL_SECONDS = 4;
/** As many as a reader can look at. */
const SHOWN = 5;
const MISSED = "fault: it did not come about";

describe.each(BROKERS)("faults between device and broker, on %s", (_name, startBroker) => {
  const cleanUp: (() => unknown)[] = [];
  let broker: TestBroker;
  let cloud: Cloud;
  let directory: string;
  let kek: Buffer;
  let operator: WireOperator;
  let rows: Database.Database;

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
    });
    cleanUp.push(() => cloud.close());
    const path = join(directory, "cloud.db");
    operator = await openWireOperator(broker.url, path, join(directory, "keys"));
    cleanUp.push(operator.close);
    rows = new Database(path, { readonly: true });
    cleanUp.push(() => rows.close());
  });
  afterAll(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  });

  const count = (table: "reading" | "event", kid: Bytes) =>
    rows
      .prepare<[Buffer], number>(`SELECT count(*) FROM ${table} WHERE device = ?`)
      .pluck()
      .get(Buffer.from(kid, "latin1")) as number;

  /** One device's life with at most one fault; what was wrong with it. */
  async function live(fault?: Fault): Promise<{ seen: SeenPacket[]; violations: string[] }> {
    const proxy = await startFaultProxy(broker.port, fault);
    const device = createWireDevice(MEASUREMENTS);
    const registered = await cloud.registerDevice(device.publicKey);
    const kid = fromHex(registered.kid) as Bytes;
    const violations: string[] = [];
    let events = 0;
    let obeyed = 0;

    /** The readings, an event, and a command that is carried out: all with the fault, if there is one. */
    const isDone = () =>
      obeyed === events &&
      device.produced.length >= MEASUREMENTS + events - 1 &&
      count("reading", kid) === device.produced.length &&
      count("event", kid) === events;
    const isSubscribeDamaged = () => {
      const sent = proxy.seen.filter(({ direction }) => direction === "up");
      return fault?.kind === "flip" && fault.direction === "up"
        ? sent[fault.packet]?.cmd === "subscribe"
        : false;
    };
    function sendAndCommand(): void {
      device.sendHealth();
      events++;
      operator.update(kid, UPDATED_SECONDS, NIGHTLY_MS).then(
        (isObeyed) => {
          if (isObeyed) obeyed++;
          else violations.push("command: it was refused");
        },
        (error: Error) => violations.push(`command: ${error.message}`),
      );
    }
    async function play(): Promise<void> {
      while (count("reading", kid) === 0) await device.wait(LOOK_SECONDS);
      sendAndCommand();
      for (;;) {
        while (!isDone()) await device.wait(LOOK_SECONDS);
        if (fault === undefined || proxy.isInjected() || events > MOST_EXTRA) return;
        device.measureMore();
        sendAndCommand();
        await device.wait(EXTRA_SECONDS);
      }
    }
    try {
      device.start(proxy.port, readDeviceTrust(join(directory, "keys")));
      device.wait(DEAF_SECONDS).then(() => {
        if (obeyed < events && isSubscribeDamaged()) proxy.hangUp();
      });
      await Promise.race([play(), device.wait(LONGEST_SECONDS)]);
      await device.wait(TAIL_SECONDS);
    } finally {
      device.powerOff();
      await proxy.close();
    }
    const stored = count("event", kid);
    if (events === 0) violations.push("reading: the first did not arrive");
    if (obeyed !== events) violations.push(`command: ${obeyed} of ${events} obeyed`);
    if (stored !== events) violations.push(`event: ${stored} of ${events} stored`);
    violations.push(...judge(device, fault, proxy.isInjected()));
    return { seen: proxy.seen, violations };
  }

  function judge(
    { thumbprint, events, produced, uncaught }: ReturnType<typeof createWireDevice>,
    fault: Fault | undefined,
    isInjected: boolean,
  ): string[] {
    const content = readCloud(rows, kek, thumbprint);
    const arrived = produced.map((_, index) => index);
    const history = { thumbprint, events, produced, arrived, mayRefuse: [] };
    const violations = checkHistory({ ...history, cloud: { ...content, refused: {} } });
    if (fault && !isInjected) violations.push(MISSED);
    return violations.concat(uncaught.map((error) => `uncaught: ${(error as Error).stack}`));
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

  /** Lives through them, several at a time. Nearly all of them have to come about. */
  async function liveThrough(faults: Fault[]): Promise<void> {
    const failures: string[] = [];
    const missed: Fault[] = [];
    const waiting = [...faults];
    async function work(): Promise<void> {
      for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
        const { violations } = await live(fault);
        if (violations.includes(MISSED)) missed.push(fault);
        const wrong = violations.filter((violation) => violation !== MISSED);
        if (wrong.length > 0) failures.push(`${JSON.stringify(fault)}\n${wrong.join("\n")}`);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const injected = faults.length - missed.length;
    console.log(`${injected} faults of ${faults.length} injected`);
    for (const fault of missed) console.log(`did not come about: ${JSON.stringify(fault)}`);
    expect(failures.slice(0, SHOWN)).toEqual([]);
    expect(injected).toBeGreaterThanOrEqual(Math.floor(faults.length * LEAST_INJECTED));
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
