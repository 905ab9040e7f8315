/**
 * Thousands of readings from the flashed bundle in Espruino, with a broker that stands still
 * in the middle: afterwards the device holds as many variables as before. Nothing grows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import type { Receiver } from "../support/serve.ts";
import { describeEspruino } from "./espruino.ts";
import { faultsOf, register, unpack } from "./unpack.ts";
import { leastUsage, watchUsage } from "./variables.ts";

const isNightly = process.env.COSEFLOW_NIGHTLY === "1";
const READINGS = isNightly ? 10_000 : 400;
/** The first readings, after which all that is made once has been made. */
const WARM = 150;
/** A reading takes the interpreter some 30 ms, its receipt with it, and more on a busy machine; what is faster only fills the queue. */
const PERIOD_SECONDS = 0.1;
/** Longer than the device waits for an acknowledgement before it gives the connection up. */
const STALL_MS = 75_000;
const SAMPLES = 40;
/** The counters take a byte more each at 256, and with it a variable where they are text. */
const FEW = 12;
const LONGEST_MS = isNightly ? 3 * 3600_000 : 600_000;

const BOARD = {
  name: "endurance",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: PERIOD_SECONDS, qos: 1 }],
  queue: { readings: 16, flash: 512, spillSeconds: 2 },
};

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Counts what the cloud stores. */
function counter(receiver: Receiver) {
  let count = 0;
  let wake = () => {};
  const last = new Map<number, number>();
  receiver.onLine = ({ session, sequence }) => {
    // A reading has a line for each of its records.
    if (last.get(session) === sequence) return;
    last.set(session, sequence);
    count++;
    wake();
  };
  return {
    count: () => count,
    until: (wanted: number) =>
      new Promise<void>((resolve) => {
        wake = () => {
          if (count >= wanted) resolve();
        };
        wake();
      }),
  };
}

describeEspruino("a long life in Espruino", () => {
  it(`of ${READINGS} readings and a stalled broker costs no variable`, {
    timeout: LONGEST_MS,
  }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 2 });
    const { broker, receiver } = unpacked;
    const [device] = await register(cleanUp, unpacked);
    const stored = counter(receiver);
    await receiver.start();
    cleanUp.push(receiver.kill);

    const began = performance.now();
    await stored.until(WARM);
    await watchUsage(device);
    const before = await leastUsage(device, SAMPLES);
    await stored.until(READINGS / 2);
    broker.pause();
    await delay(STALL_MS);
    const queued = await device.evaluate('require("devcrypto").ringCount()');
    broker.resume();
    await stored.until(READINGS);
    const seconds = (performance.now() - began - STALL_MS) / 1000;
    const after = await leastUsage(device, SAMPLES);
    console.log(
      `in Espruino: ${before} of 4095 variables before, ${after} after ${stored.count()} readings ` +
        `(${Math.round(stored.count() / seconds)} a second) and ${queued} in flash while the broker stood still`,
    );
    expect(queued).toBeGreaterThan(BOARD.queue.readings);
    expect(faultsOf(device)).toEqual([]);
    expect(Math.abs(after - before)).toBeLessThanOrEqual(FEW);
  });
});
