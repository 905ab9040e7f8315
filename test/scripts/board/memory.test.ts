import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DRIVERS } from "../../../scripts/board/drivers.ts";
import { formatFault } from "../../../scripts/board/fault.ts";
import { createMemoryEstimate, MOST_STREAMING, NAMED } from "../../../scripts/board/memory.ts";
import { createValidator } from "../../../scripts/board/validate.ts";
import { listBoards } from "../../../scripts/build/boards.mjs";
import { REFINEMENTS } from "../../../scripts/build/bundle.mjs";
import { repositoryRoot } from "../../../simulator/repository.ts";

const one = (first: number, another: number) => ({ first, another });
const STATES = { booted: 1, offline: 1, bme280: 1, command: 1, enrolment: 1, setup: 1, keyRoll: 1 };
const estimate = createMemoryEstimate({
  measure: "how",
  states: { ...STATES, streaming: 1900 },
  costs: {
    sensors: { host: one(100, 90), sht3x: one(200, 150), pulses: one(30, 20) },
    parts: { named: 7, refined: 50, alarm: 30, led: 3, button: 5 },
  },
});
const streaming = (board: object) => estimate(board as Record<string, unknown>).streaming;
const boards = join(repositoryRoot(), "boards");

describe("the estimate of variables", () => {
  it("adds the first of each kind, the others, and what refines them to an empty board", () => {
    expect(streaming({ sensors: [] })).toBe(1800);
    expect(streaming({ sensors: [{ driver: "host" }] })).toBe(1900);
    const two = { driver: "sht3x" };
    expect(streaming({ sensors: [two, two, { driver: "pulses" }] })).toBe(1800 + 200 + 150 + 30);
    const named = { ...two, name: "a", range: {} };
    expect(streaming({ sensors: [named, named] })).toBe(1800 + 200 + 150 + 7 + 100);
    const told = { ...two, alarm: {} };
    expect(streaming({ sensors: [told] })).toBe(1800 + 200 + 7 + 30);
    expect(streaming({ sensors: [], led: {}, button: {} })).toBe(1808);
  });

  it("counts the code that refines for what brings it into a bundle", () => {
    expect([...NAMED].sort()).toEqual([...REFINEMENTS].sort());
  });

  it.each([[undefined], [null], [7], [[null, 7, "x", {}, { driver: "nothing" }]]])(
    "makes nothing of sensors that are none: %j",
    (sensors) => expect(streaming({ sensors })).toBe(1800),
  );

  it("knows every driver by what was counted in the interpreter", () => {
    const { costs } = JSON.parse(
      readFileSync(join(repositoryRoot(), "size.json"), "utf8"),
    ).variables;
    expect(Object.keys(costs.sensors).sort()).toEqual(DRIVERS.map(({ name }) => name).sort());
    const parts = ["named", "refined", "alarm", "led", "button"];
    expect(Object.keys(costs.parts)).toEqual(parts);
    for (const part of parts) expect(costs.parts[part]).toBeGreaterThan(0);
    for (const { first, another } of Object.values<{ first: number; another: number }>(
      costs.sensors,
    ))
      expect(Math.min(first, another)).toBeGreaterThan(50);
  });
});

const FIVE = [
  { driver: "sht3x", name: "a" },
  { driver: "bme280", name: "b" },
  { driver: "ds18b20", pin: "D4", name: "c" },
  { driver: "analogue", pin: "D2" },
  { driver: "digital", pin: "D3" },
].map((sensor) => ({ ...sensor, periodSeconds: 10, qos: 1 }));

function judge(sensors: object[]): string[] {
  const board = {
    name: "bench",
    chip: "esp32-c3",
    network: "wifi",
    i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
    sensors,
    queue: { readings: 16 },
  };
  const text = JSON.stringify(board, null, 2);
  return createValidator()(text, "bench").map((fault) => formatFault("bench.json", fault));
}

describe("a board", () => {
  it("of five kinds of sensor is refused where its sensors stand, with what there is and what it takes", () => {
    expect(judge(FIVE)).toEqual([
      expect.stringMatching(
        /^bench\.json:10:14: \/sensors, expected at most \d+ variables, got \d+: of 4095 a command or a key roll would find too few; name fewer sensors, or leave out names, ranges, alarms, LED or button$/,
      ),
    ]);
  });

  it.each(
    DRIVERS.filter(({ name }) => name !== "host").map((driver) => [driver.name, driver] as const),
  )("with one %s passes", (_name, { schema }) =>
    expect(judge((schema as { examples?: object[] }).examples ?? [])).toEqual([]),
  );

  it("with two kinds passes", () => expect(judge(FIVE.slice(0, 2))).toEqual([]));

  it.each(listBoards(boards))("%s, a ready one, has room", (name) => {
    const board = JSON.parse(readFileSync(join(boards, `${name}.json`), "utf8"));
    expect(createMemoryEstimate()(board).streaming).toBeLessThan(MOST_STREAMING);
  });
});
