/**
 * The clock of Espruino that begins at 0 as a chip's does, passes what 32 bits hold of micro- and
 * milliseconds, and is set 30 years on and back, under the flashed bundle.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { describeEspruino } from "./espruino.ts";
import { faultsOf, register, unpack } from "./unpack.ts";

const BOARD = {
  name: "clocks",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.5, qos: 1 }],
  queue: { readings: 32 },
};
const YEARS = 30 * 365.25 * 86_400;
/** Seconds at which micro- and milliseconds pass 32 bits, signed and unsigned; and seconds do. */
const WRAPS = [2 ** 31 / 1e6, 2 ** 32 / 1e6, 2 ** 31 / 1000, 2 ** 32 / 1000, 2 ** 31];
/** The clock is set so many seconds before these. */
const BEFORE_WRAP = 3;
/** Readings that are waited for after each step; they take longer than that. */
const ENOUGH = 10;
/** Uptime and receipts tell whole seconds, and a step costs what passed since the last look. */
const TOLERANCE = 4;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function compile(directory: string): string {
  const shim = join(directory, "set-clock.so");
  const source = join(import.meta.dirname, "set-clock.c");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", shim, source]);
  return shim;
}

describeEspruino("the clock in Espruino", () => {
  it("may wrap, and may be set: readings go on, and their dates are right", {
    timeout: 600_000,
  }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 2 });
    const { directory, receiver } = unpacked;
    const file = join(directory, "clock");
    /** Microseconds; the chip starts at 0. */
    let ahead = -Date.now() * 1000;
    writeFileSync(file, `${ahead}`);
    const shim = { LD_PRELOAD: compile(directory), SET_CLOCK: file };
    const [device] = await register(cleanUp, unpacked, shim);
    let count = 0;
    let wake = () => {};
    receiver.onLine = ({ name }) => {
      if (name !== "load") return;
      count++;
      wake();
    };
    const more = () =>
      new Promise<void>((resolve) => {
        const wanted = count + ENOUGH;
        wake = () => {
          if (count >= wanted) resolve();
        };
      });
    await receiver.start();
    cleanUp.push(receiver.kill);
    await more();
    const now = async () => Number(await device.evaluate("getTime()"));
    expect(await now()).toBeLessThan(300);

    /** As setTime() does it on a chip: Espruino's own note of the time goes with the system's. */
    async function step(seconds: number): Promise<void> {
      ahead += Math.round(seconds * 1e6);
      const set = `(function(f){f.write("${ahead}");f.close();setTime(getTime());return 0})(E.openFile("clock","w"))`;
      expect(await device.evaluate(set)).toBe(0);
      await more();
    }
    for (const wrap of WRAPS) {
      await step(wrap - BEFORE_WRAP - (await now()));
      while ((await now()) <= wrap) await more();
      await more();
    }
    const began = await now();
    for (const seconds of [YEARS, -YEARS, -YEARS, YEARS]) await step(seconds);
    expect((await now()) - began).toBeLessThan(300);

    expect(faultsOf(device)).toEqual([]);
    await device.powerOff();
    expect(await receiver.stop()).toBe(0);
    const db = new Database(receiver.database, { readonly: true });
    cleanUp.push(() => db.close());
    const rows = db
      .prepare<[], { sequence: number; wrong: number }>(
        `SELECT sequence, abs(time - received_at) AS wrong FROM measurement
         JOIN reading USING (device, session, sequence)
         WHERE name = 'load' AND time_from = 'device' ORDER BY session, sequence`,
      )
      .all();
    const wrong = rows.map((row) => row.wrong);
    console.log(
      `in Espruino: ${rows.length} readings over ${WRAPS.length} wraps and 4 steps of 30 years, ` +
        `dates wrong by up to ${Math.max(...wrong)} s`,
    );
    expect(rows.length).toBeGreaterThan(ENOUGH * (WRAPS.length + 4));
    expect(Math.max(...wrong)).toBeLessThan(TOLERANCE);
    const first = rows[0]?.sequence ?? 0;
    expect(rows.map(({ sequence }) => sequence - first)).toEqual(rows.map((_, at) => at));
  });
});
