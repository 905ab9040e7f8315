import { describe, expect, it } from "vitest";
import { createBoschModel } from "../../../simulator/i2c/bosch-model.ts";

function bench(chip: "bmp280" | "bme280" = "bme280") {
  let now = 0;
  const model = createBoschModel({
    chip,
    environment: () => ({ celsius: 25.08, relativeHumidity: 50, pascal: 100653.27 }),
    now: () => now,
  });
  return {
    model,
    read(register: number, quantity: number) {
      model.write(Uint8Array.of(register));
      return [...(model.read(quantity) ?? [])];
    },
    write: (...bytes: number[]) => model.write(Uint8Array.from(bytes)),
    wait(ms: number) {
      now += ms;
    },
  };
}

const NOTHING = [0x80, 0, 0, 0x80, 0, 0, 0x80, 0];

describe("BMP280 and BME280 model", () => {
  it("has its id, and its calibration where the datasheet has it", () => {
    expect(bench("bmp280").read(0xd0, 1)).toEqual([0x58]);
    const { read } = bench();
    expect(read(0xd0, 1)).toEqual([0x60]);
    // T1 27504, T2 26435, T3 -1000; then P1.
    expect(read(0x88, 8)).toEqual([0x70, 0x6b, 0x43, 0x67, 0x18, 0xfc, 0x7d, 0x8e]);
    // H2 362, H3 0, H4 319 and H5 50 in three bytes, H6 30.
    expect(read(0xe1, 7)).toEqual([0x6a, 0x01, 0, 0x13, 0x2f, 0x03, 30]);
    expect(read(0xa1, 1)).toEqual([75]);
  });

  it("measures the raw words of the datasheet's example", () => {
    const { read, write, wait } = bench("bmp280");
    wait(2);
    write(0xf4, 0x25);
    wait(7);
    const [p1 = 0, p2 = 0, p3 = 0, t1 = 0, t2 = 0, t3 = 0] = read(0xf7, 6);
    const temperature = (t1 << 12) | (t2 << 4) | (t3 >> 4);
    const pressure = (p1 << 12) | (p2 << 4) | (p3 >> 4);
    // Within the hundredth of a degree that the example is given in; the pressure goes with it.
    expect(Math.abs(temperature - 519888)).toBeLessThan(40);
    expect(Math.abs(pressure - 415148)).toBeLessThan(40);
  });

  it("measures once in forced mode, for as long as its settings take, and sleeps again", () => {
    const { read, write, wait } = bench();
    wait(2);
    expect(read(0xf7, 8)).toEqual(NOTHING);
    write(0xf2, 1, 0xf4, 0x25);
    wait(9.2);
    expect(read(0xf3, 2)).toEqual([8, 0x25]);
    expect(read(0xf7, 8)).toEqual(NOTHING);
    wait(0.2);
    expect(read(0xf3, 2)).toEqual([0, 0x24]);
    expect(read(0xf7, 8)).not.toEqual(NOTHING);
  });

  it("goes on in normal mode", () => {
    const { read, write, wait } = bench();
    write(0xf4, 0x27);
    wait(100);
    read(0xf7, 8);
    expect(read(0xf3, 2)).toEqual([8, 0x27]);
  });

  it("takes the humidity's setting with the next control word only, and leaves out what is off", () => {
    const { read, write, wait } = bench();
    write(0xf4, 0x25, 0xf2, 1);
    wait(20);
    expect(read(0xfd, 2)).toEqual([0x80, 0]);
    write(0xf4, 0x01);
    wait(20);
    expect(read(0xf7, 6)).toEqual(NOTHING.slice(0, 6));
    expect(read(0xfd, 2)).not.toEqual([0x80, 0]);
  });

  it("forgets all with a reset, and needs its time to start", () => {
    const { read, write, wait } = bench();
    write(0xf5, 0xa0);
    expect(read(0xf5, 1)).toEqual([0xa0]);
    write(0xe0, 0x00);
    expect(read(0xf5, 1)).toEqual([0xa0]);
    write(0xe0, 0xb6);
    expect(read(0xf3, 3)).toEqual([1, 0, 0]);
    wait(2);
    expect(read(0xf3, 1)).toEqual([0]);
  });

  it("has nothing to write but its settings, and as a BMP280 nothing of humidity", () => {
    const { read, write, wait } = bench();
    write(0xd0, 1, 0x88, 1);
    expect([read(0xd0, 1), read(0x88, 1)]).toEqual([[0x60], [0x70]]);
    const small = bench("bmp280");
    small.write(0xf2, 1, 0xf4, 0x25);
    small.wait(20);
    wait(20);
    expect([small.read(0xf2, 1), small.read(0xfd, 2), small.read(0xa1, 1)]).toEqual([
      [0],
      [0, 0],
      [0],
    ]);
  });
});
