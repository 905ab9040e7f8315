/**
 * What each kind of sensor takes of the variables while a board streams: the first of it, and another
 * beside it. With RECORD=1 the figures go to size.json, from which `coseflow validate` adds up a board.
 */
import { afterAll, describe, expect, it } from "vitest";
import { describeEspruino } from "./espruino.ts";
import { STUBS } from "./sensor-stubs.ts";
import { powerOn, registerAt, unpack } from "./unpack.ts";
import { leastUsage, noteCosts, watchUsage } from "./variables.ts";

/** What was sealed before the registration is gone after the first of them. */
const LOOKS = 12;
const BOARD = {
  name: "counted",
  network: "host",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  queue: { readings: 16, flash: 512, spillSeconds: 1 },
};
const EVERY = { periodSeconds: 2, qos: 1 };
const INPUT = { ...EVERY, activeLow: true };

/** Each kind, and what a second of it differs in. */
const KINDS: Record<string, [first: object, second: object]> = {
  sht3x: [EVERY, { address: 69 }],
  bme280: [EVERY, { address: 120 }],
  bmp280: [{ ...EVERY, address: 119 }, { address: 121 }],
  ds18b20: [{ ...EVERY, pin: "D4" }, { pin: "D7" }],
  analogue: [{ ...EVERY, pin: "D2", unit: "V", scale: 4, offset: -1 }, { pin: "D0" }],
  digital: [{ ...INPUT, pin: "D3" }, { pin: "D8" }],
  pulses: [{ ...INPUT, pin: "D1" }, { pin: "D9" }],
  host: [EVERY, {}],
};
const REFINED = {
  ...EVERY,
  driver: "sht3x",
  range: { temperature: { min: -40, max: 125 }, humidity: { min: 0, max: 100 } },
  average: 3,
  deadband: { temperature: 0 },
};

const ALARMED = { ...EVERY, driver: "sht3x", alarm: { temperature: { above: 100 } } };

const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function streaming(sensors: object[], parts: object = {}): Promise<number> {
  const own: (() => unknown)[] = [];
  try {
    const board = { ...BOARD, ...parts, sensors };
    const unpacked = await unpack(own, board, { receiptSeconds: 1 }, STUBS);
    const device = powerOn(own, unpacked);
    await registerAt(unpacked, device);
    await unpacked.receiver.start();
    own.push(unpacked.receiver.kill);
    await device.line(/state: streaming/);
    await watchUsage(device);
    const least = await leastUsage(device, LOOKS);
    expect(device.lines.filter((line) => /^sensor |MEMORY|Uncaught/.test(line))).toEqual([]);
    return least;
  } finally {
    for (const step of own.reverse()) await step();
  }
}

describeEspruino("variables that sensors take", () => {
  let empty: Promise<number> | undefined;
  const beyond = async (sensors: object[]) => {
    empty ??= streaming([]);
    const nothing = await empty;
    return (await streaming(sensors)) - nothing;
  };

  describe.each(Object.entries(KINDS))("%s", (driver, [first, second]) => {
    it("first and another", { timeout: 240_000 }, async () => {
      const one = { ...first, driver };
      const two = [
        { ...one, name: "one" },
        { ...one, ...second, name: "two" },
      ];
      const alone = await beyond([one]);
      const both = await beyond(two);
      noteCosts({ sensors: { [driver]: { first: alone, another: both - alone } } });
      expect(alone).toBeGreaterThan(0);
      expect(both).toBeGreaterThan(alone);
    });
  });

  it("named, refined, an alarm, a LED and a button", { timeout: 600_000 }, async () => {
    const plain = { ...EVERY, driver: "sht3x" };
    const alone = await streaming([plain]);
    // What refines a value is there with a name already: the others come on top of that.
    const named = await streaming([{ ...plain, name: "attic" }]);
    const parts = {
      named: named - alone,
      refined: (await streaming([REFINED])) - named,
      alarm: (await streaming([ALARMED])) - named,
      led: (await streaming([plain], { led: { pin: "D10" } })) - alone,
      button: (await streaming([plain], { button: { pin: "D11" } })) - alone,
    };
    noteCosts({ parts });
    expect(Math.min(...Object.values(parts))).toBeGreaterThan(0);
  });
});
