import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { rollup } from "rollup";
import { afterAll, describe, expect, it } from "vitest";
import { DRIVERS } from "../../../scripts/board/drivers.ts";
import { createBoardReader, createValidator } from "../../../scripts/board/validate.ts";
import { listBoards } from "../../../scripts/build/boards.mjs";
import { bundleOptions } from "../../../scripts/build/bundle.mjs";
import { isStartFailure, launchDevice } from "../../../simulator/launch.ts";
import { makeTrust } from "../../support/trust.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const boards = join(root, "boards");
const EVERY = { periodSeconds: 30, qos: 1 };

const SENSORS = [
  [
    {
      ...EVERY,
      driver: "sht3x",
      range: { humidity: { min: 0, max: 100 } },
      average: 2,
      alarm: { humidity: { above: 90, below: 10, hysteresis: 5 } },
    },
  ],
  [{ ...EVERY, driver: "bme280", name: "attic", deadband: { pressure: 50 } }],
  [{ ...EVERY, driver: "bmp280", name: "cellar", address: 119, drop: "newest" }],
  [{ ...EVERY, driver: "ds18b20", name: "flow", pin: "D4", rom: "28ff641e02160380" }],
  [{ ...EVERY, driver: "analogue", pin: "D2", unit: "V", decimals: 2, scale: 3.3, offset: 0 }],
  [{ ...EVERY, driver: "digital", pin: "D3", activeLow: true, eventSeconds: 30 }],
  [{ ...EVERY, driver: "pulses", name: "rain", pin: "D1", debounceMs: 5 }],
];

/** Together every driver and every property, beside those boards that are there; on one they find no room. */
const RICH = SENSORS.map((sensors) => ({
  name: "rich",
  chip: "esp32-c3",
  network: "wifi",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  led: { pin: "D8", activeLow: true },
  button: { pin: "D9", activeLow: true },
  sensors,
  queue: { readings: 32, flash: 2500, spillSeconds: 0 },
  session: { rekeySeconds: 3600 },
  provisioning: { request: "signed" },
  health: { periodHours: 12 },
})).map((board) => JSON.stringify(board, null, 2));

const texts = [
  ...listBoards(boards).map((name) => readFileSync(join(boards, `${name}.json`), "utf8")),
  ...RICH,
];
const directory = mkdtempSync(join(tmpdir(), "coseflow-boards-"));
const validate = createValidator();

/** Of a passing board that is bundled and booted: each takes seconds. */
const BUNDLED = 1;

afterAll(() => rmSync(directory, { recursive: true }));

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Every place in a value, as the object or list that holds it and the name there. */
function places(value: Json): { holder: { [name: string]: Json }; name: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as { [name: string]: Json };
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...places(holder[name] as Json)]);
}

const VALUES = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
  fc.integer({ min: -1, max: 100 }),
  fc.integer({ min: 0, max: 49 }).map((gpio) => `D${gpio}`),
  fc.constantFrom(
    ...DRIVERS.map(({ name }) => name),
    "wifi",
    "esp32",
    "esp32-c3",
    "linux",
    "locked",
    "standard",
    "Cel",
    0.5,
    "__proto__",
    "constructor",
    Number.MAX_VALUE,
  ),
);

const NAMES = fc.constantFrom(
  "__proto__",
  "constructor",
  "toString",
  "range",
  "name",
  "rom",
  "pin",
);

const MUTANTS = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(
      fc.record({
        at: fc.nat(),
        how: fc.nat(3),
        value: VALUES,
        name: fc.oneof(fc.string(), NAMES),
      }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  )
  .map(([text, changes]) => {
    const board = JSON.parse(text) as Json;
    for (const { at, how, value, name } of changes) {
      const all = places(board);
      const place = all[at % Math.max(1, all.length)];
      if (place === undefined) continue;
      const { holder } = place;
      if (how === 0) delete holder[place.name];
      else if (how === 1) holder[place.name] = value as Json;
      else if (how === 2)
        Object.defineProperty(holder, name, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      else holder[`${place.name}s`] = holder[place.name] as Json;
    }
    return JSON.stringify(board, null, 2);
  });

/** The file's name where the text has one, so that not every mutant fails by it. */
function nameOf(text: string): string {
  const name = (JSON.parse(text) as { name?: unknown } | null)?.name;
  return typeof name === "string" ? name : "none";
}

describe("a changed board file", () => {
  const passing = new Set<string>();

  it("has faults with a place, or passes; nothing is thrown", () => {
    fc.assert(
      fc.property(MUTANTS, (text) => {
        const faults = validate(text, nameOf(text));
        const lines = text.split("\n");
        for (const { line, column, expected, got } of faults) {
          expect(column).toBeLessThanOrEqual((lines[line - 1] as string).length + 1);
          expect(`${expected} ${got}`).not.toMatch(/undefined|\[object|NaN/);
        }
        if (faults.length === 0) passing.add(text);
      }),
      { numRuns: 1500 },
    );
    expect(passing.size).toBeGreaterThan(BUNDLED);
    for (const text of RICH) expect(validate(text, "rich")).toEqual([]);
  });

  it("with letters gone or strange is a fault or JSON", () => {
    const damaged = fc
      .tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ maxLength: 3 }))
      .map(([text, at, put]) => {
        const place = at % text.length;
        return text.slice(0, place) + put + text.slice(place + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        if (validate(text, "linux").length === 0) expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });

  it("that passes is bundled, and the device starts", async () => {
    const readBoard = createBoardReader();
    let count = 0;
    const trust = await makeTrust();
    for (const text of [...RICH, ...[...passing].slice(-BUNDLED)]) {
      const place = join(directory, `${count++}`);
      mkdirSync(place);
      const name = nameOf(text);
      const boardFile = join(place, `${name}.json`);
      writeFileSync(boardFile, text);
      const options = bundleOptions({
        boardFile,
        dist: join(root, "dist"),
        outputDirectory: place,
        readBoard,
      });
      const built = await rollup(options);
      await built.write(options.output);
      await built.close();
      const lines: string[] = [];
      const device = launchDevice({
        files: { board: boardFile, bundle: join(place, `${name}.js`) },
        directory: join(place, "device"),
        settings: {
          ...trust,
          brokers: [{ host: "127.0.0.1", port: 1 }],
        },
        console: (line) => lines.push(line),
      });
      device.powerOff();
      expect(lines.filter(isStartFailure)).toEqual([]);
    }
  }, 300_000);
});
