import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createSensor as createHost } from "../../../firmware/sensors/host.ts";
import type { SensorError } from "../../../firmware/sensors/sensor.ts";

type Files = Record<string, string | undefined>;

function read(readFile: (path: string) => string | undefined) {
  const outcomes: { code: string | undefined; values: number[] }[] = [];
  createHost({ readFile }).read((error, values) => {
    outcomes.push({ code: (error as SensorError | undefined)?.code, values });
  });
  return outcomes;
}

const loadavg = "0.29 0.58 1.05 1/389 12345\n";
const meminfo = "MemTotal:       16303208 kB\nMemAvailable:    8123456 kB\nBuffers: 1 kB\n";
const whole: Files = { "/proc/loadavg": loadavg, "/proc/meminfo": meminfo };

describe("host metrics", () => {
  it("reads this host", () => {
    const [outcome] = read((path) => readFileSync(path, "latin1"));
    expect(outcome?.code).toBeUndefined();
    const [load = -1, memory = -1] = outcome?.values ?? [];
    expect(Number.isInteger(load) && load >= 0).toBe(true);
    expect(memory % 1024).toBe(0);
    expect(memory).toBeGreaterThan(1024 * 1024);
  });

  it("gives hundredths and bytes, as its quantities say", () => {
    expect(read((path) => whole[path])).toEqual([
      { code: undefined, values: [29, 8123456 * 1024] },
    ]);
    const { quantities } = createHost({ readFile: () => "" });
    expect(quantities.map(({ unit, exponent }) => [unit, exponent])).toEqual([
      ["1", -2],
      ["B", 0],
    ]);
  });

  it("takes no load for a load of zero", () => {
    const files: Files = { ...whole, "/proc/loadavg": "0.00 0.00 0.00 1/1 1" };
    expect(read((path) => files[path])[0]?.values[0]).toBe(0);
  });

  it.each<[string, Files]>([
    ["no load", { "/proc/meminfo": meminfo }],
    ["no memory", { "/proc/loadavg": loadavg }],
    ["a load that is no number", { ...whole, "/proc/loadavg": "none" }],
    ["memory without the label", { ...whole, "/proc/meminfo": "MemTotal: 5 kB" }],
    ["memory without a number", { ...whole, "/proc/meminfo": "MemAvailable:" }],
  ])("reports %s, once", (_, files) => {
    expect(read((path) => files[path])).toEqual([{ code: "unreadable", values: [] }]);
  });

  it("reports files that cannot be opened", () => {
    const outcomes = read(() => {
      throw new Error("Could not open file");
    });
    expect(outcomes).toEqual([{ code: "unreadable", values: [] }]);
  });
});
