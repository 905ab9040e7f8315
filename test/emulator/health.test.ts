/** The health record of the flashed bundle, signed in Espruino itself, over Mosquitto to the cloud. */

import { afterEach, expect, it } from "vitest";
import type { StoredLine } from "../support/serve.ts";
import { describeEspruino } from "./espruino.ts";
import { faultsOf, register, unpack } from "./unpack.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 5, qos: 1 }],
  queue: { readings: 16 },
};
/** Names of the record that a board without Wi-Fi sends (SPEC.md, Health record). */
const NAMES = [
  ..."boot-uptime boot-first boot-session boot-sequence boots reset variables".split(" "),
  ..."queue dropped events-dropped sessions reconnects refused errors".split(" "),
];

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describeEspruino("the health record from Espruino", () => {
  it("arrives when the boot has lasted a minute, all of it", { timeout: 240_000 }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 2 });
    const { receiver } = unpacked;
    const values = new Map<string, unknown>();
    const complete = new Promise<void>((resolve) => {
      receiver.onLine = (line: StoredLine & { kind?: string }) => {
        if (line.kind !== "event") return;
        values.set(line.name, line.value);
        if (values.size === NAMES.length) resolve();
      };
    });
    const [device] = await register(cleanUp, unpacked);
    await receiver.start();
    cleanUp.push(receiver.kill);
    await complete;
    expect([...values.keys()].sort()).toEqual([...NAMES].sort());
    expect(values.get("boot-uptime")).toBeGreaterThanOrEqual(60);
    expect(values.get("boot-session")).toBe(1);
    expect(values.get("boot-sequence")).toBeGreaterThan(5);
    expect(values.get("errors")).toBe(0);
    expect(faultsOf(device)).toEqual([]);
  });
});
