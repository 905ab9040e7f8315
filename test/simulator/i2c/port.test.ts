import { describe, expect, it } from "vitest";
import { createSensorModels } from "../../../simulator/i2c/models.ts";
import { bootBoard, printed } from "../harness.ts";

const board = { name: "test", i2c: { sda: "D4", scl: "D5" } };
const sensors = () =>
  createSensorModels([{ driver: "sht3x", address: 0x45 }, { driver: "host" }], () => ({
    celsius: 21.5,
    relativeHumidity: 40,
  }));

describe("I2C", () => {
  it("is absent on a board without a bus", () => {
    expect(printed("print(typeof I2C1, typeof I2C)")).toEqual(["undefined undefined"]);
  });

  it.each(["I2C1", "new I2C()"])("%s reaches the chip", async (port) => {
    const bench = bootBoard(
      `var i = ${port}; i.setup({ sda: new Pin("D4"), scl: "D5", bitrate: 100000 });
       i.writeTo(0x45, 0x24, [0x00]); setTimeout(function () { var r = i.readFrom({ address: 0x45 }, 6);
         print("read", r.length, r[0], r instanceof Uint8Array, i.readFrom(0x45, 0)); }, 20)`,
      { board, sensors: sensors() },
    );
    expect(await bench.line("read")).toBe("read 6 97 true undefined");
  });

  it("throws when nobody acknowledges", () => {
    const attempt = (code: string) =>
      printed(`try { ${code}; print("no") } catch (e) { print(e.message) }`, {
        board,
        sensors: sensors(),
      })[0];
    const setup = "I2C1.setup({ sda: D4, scl: D5 });";
    expect(attempt(`${setup} I2C1.writeTo(0x44, 1)`)).toMatch(/ACK/);
    expect(attempt(`${setup} I2C1.readFrom(0x45, 6)`)).toMatch(/ACK/);
    expect(attempt("I2C1.setup({ sda: D1, scl: D5 }); I2C1.writeTo(0x45, 1)")).toMatch(/ACK/);
    expect(attempt("I2C1.writeTo(0x45, 0x24, 0)")).toMatch(/Parameter error/);
    expect(attempt(`${setup} I2C1.writeTo(0x45, {})`)).not.toBe("no");
  });
});
