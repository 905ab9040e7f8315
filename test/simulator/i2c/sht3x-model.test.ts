import { describe, expect, it } from "vitest";
import { createSht3xModel, type Sht3xFaults } from "../../../simulator/i2c/sht3x-model.ts";

function bench(faults: Sht3xFaults = {}) {
  let milliseconds = 0;
  const model = createSht3xModel({
    environment: (seconds) => ({ celsius: 25 + seconds, relativeHumidity: 50 }),
    now: () => milliseconds,
    faults,
  });
  const command = (code: number) => model.write(Uint8Array.of(code >> 8, code & 255));
  const status = () => {
    expect(command(0xf32d)).toBe(true);
    const [high = 0, low = 0] = model.read(3) ?? [];
    return (high << 8) | low;
  };
  const wait = (ms: number) => {
    milliseconds += ms;
  };
  return { model, command, status, wait, faults };
}

describe("SHT3x model", () => {
  it("appends the CRC of the datasheet's example", () => {
    // Section 4.12: the CRC of 0xbeef is 0x92.
    const share = 0xbeef / 65535;
    let now = 0;
    const model = createSht3xModel({
      environment: () => ({ celsius: -45 + 175 * share, relativeHumidity: 100 * share }),
      now: () => now,
    });
    model.write(Uint8Array.of(0x24, 0));
    now = 15;
    expect([...(model.read(7) ?? [])]).toEqual([0xbe, 0xef, 0x92, 0xbe, 0xef, 0x92, 0xff]);
  });

  it.each([
    ["high", 0x2400, 15],
    ["medium", 0x240b, 6],
    ["low", 0x2416, 4],
  ])("measures with %s repeatability", (_, code, ms) => {
    const { model, command, wait } = bench();
    expect(command(code)).toBe(true);
    expect(model.read(6)).toBeUndefined();
    expect(command(0xf32d)).toBe(false);
    wait(ms - 0.1);
    expect(model.read(6)).toBeUndefined();
    wait(0.1);
    const reading = model.read(6);
    // (25 + 45) / 175 and 50 / 100 of the full range; time has moved the air by less than a digit.
    expect([reading?.[0], reading?.[3]]).toEqual([0x66, 0x80]);
    expect(model.read(6)).toBeUndefined();
  });

  it("has nothing to read without a command", () => {
    expect(bench().model.read(6)).toBeUndefined();
  });

  it("refuses unknown commands, and remembers it", () => {
    const { command, status, model } = bench();
    for (const code of [0x2c06, 0x0000, 0x2401]) expect(command(code)).toBe(false);
    expect(model.write(Uint8Array.of(0x24))).toBe(false);
    expect(status() & 2).toBe(2);
  });

  it("clears its status, and sets it again with a reset", () => {
    const { command, status, wait } = bench();
    expect(status()).toBe(0x8010);
    command(0x3041);
    expect(status()).toBe(0);
    expect(command(0x30a2)).toBe(true);
    expect(command(0x2400)).toBe(false);
    wait(2);
    expect(status()).toBe(0x8010);
  });

  it("cuts what it cannot express", () => {
    let celsius = -100;
    let now = 0;
    const model = createSht3xModel({
      environment: () => ({ celsius, relativeHumidity: 120 }),
      now: () => now,
    });
    const measure = () => {
      model.write(Uint8Array.of(0x24, 0));
      now += 15;
      return [...(model.read(6) ?? [])];
    };
    expect(measure().slice(0, 2)).toEqual([0, 0]);
    celsius = 200;
    const reading = measure();
    expect([reading[0], reading[1], reading[3], reading[4]]).toEqual([255, 255, 255, 255]);
  });

  it("fails as told, and recovers", () => {
    const { command, model, wait, faults } = bench({ absent: true });
    expect(command(0x2400)).toBe(false);
    faults.absent = false;
    faults.stuckBusy = true;
    expect(command(0x2400)).toBe(true);
    wait(1e9);
    expect(model.read(6)).toBeUndefined();
  });
});
