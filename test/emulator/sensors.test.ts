/**
 * Every driver in Espruino, in the bundle, up to the cloud. The chips are stubs there: registers as
 * the simulator's model has them after a measurement, and what Node makes of the same registers.
 */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { createSensor as createBme280 } from "../../firmware/sensors/bme280.ts";
import { createBoschModel } from "../../simulator/i2c/bosch-model.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { i2cOf, outcomesOf } from "../support/sensor-bench.ts";
import { createReceiver, type Receiver, type StoredLine } from "../support/serve.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";
import { noteVariables } from "./variables.ts";

const AIR = { celsius: -7.31, relativeHumidity: 81.4, pascal: 97531 };
const ADDRESS = 0x76;
/** The register of the chip's id, and what it holds in a BMP280. */
const ID = 0xd0;
const BMP280 = 0x58;
const TEST_MS = 180_000;
/** Readings until the queue is empty at times. */
const SETTLED = 6;

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** What the registers of a BME280 hold after a measurement, and what the driver reads from them here. */
function measured(): { registers: Buffer; values: number[] } {
  const clock = createManualClock();
  const now = () => clock.uptime() * 1000;
  const model = createBoschModel({ chip: "bme280", environment: () => AIR, now });
  clock.advance(1);
  const { i2c } = i2cOf(ADDRESS, model);
  const [outcome] = outcomesOf(createBme280({ i2c, clock }, {}), clock);
  model.write(Uint8Array.of(0));
  return { registers: Buffer.from(model.read(256) ?? []), values: outcome?.values ?? [] };
}

/** The bus of one chip that has measured: what is written to its settings changes nothing. */
const BUS = `
  I2C1 = (function () {
    var registers = require("Storage").read("registers"), at = 0;
    function wake(address) { if (address !== ${ADDRESS}) throw new Error("no acknowledge"); }
    return {
      setup: function () {},
      writeTo: function (address, data) { wake(address); at = data[0]; },
      readFrom: function (address, count) {
        wake(address);
        return E.toUint8Array(registers.substr(at, count));
      }
    };
  })();`;

/** 21.5 degrees, the settings that the driver wrote, and their CRC. */
const SCRATCHPAD = [0x58, 0x01, 0x5a, 0x2d, 0x7f, 0xff, 0x0c, 0x10];

function crc8(bytes: number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
  }
  return crc;
}

const PINS = `
  var level = 0, watches = [];
  global.pinMode = function () {};
  global.digitalRead = function () { return level; };
  global.setWatch = function (changed) { watches.push(changed); };
  global.analogRead = function () { return 0.375; };
  global.OneWire = function () {};
  global.OneWire.prototype = {
    reset: function () { return true; },
    skip: function () {},
    select: function () {},
    write: function () {},
    read: function () { return ${JSON.stringify([...SCRATCHPAD, crc8(SCRATCHPAD)])}; }
  };`;

async function start(board: { name: string; sensors: object[] }, stubs: string) {
  const [directory, remove] = await temporaryDirectory("sensors");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  const { bundle } = await bundleBoard(directory, board);
  const { registers, values } = measured();
  await writeFlash(directory, {
    ".boot0": stubs,
    ".bootcde": readFileSync(bundle),
    registers,
    // The same, but that it says it is a BMP280.
    bmp280: registers.map((byte, at) => (at === ID ? BMP280 : byte)),
    "coseflow.json": JSON.stringify({
      brokers: [{ host: broker.host, port: broker.port }],
      ...receiver.trust,
      receiptSeconds: 1,
    }),
  });
  const device = boot(directory);
  cleanUp.push(device.powerOff);
  const [, publicKey] = await device.line(/--key ([0-9a-f]{130})/);
  await receiver.command("device", "register", "--key", publicKey as string, "--name", "bench");
  await receiver.start();
  cleanUp.push(receiver.kill);
  return { device, receiver, values };
}

/** Gathers values by name until all of them are there. */
function gather(receiver: Receiver, names: string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  return new Promise((resolve) => {
    receiver.onLine = ({ name, value }: StoredLine) => {
      found.set(name, value);
      if (names.every((each) => found.has(each))) resolve(found);
    };
  });
}

function expectNoErrors(device: Interpreter): void {
  const wrong = /Uncaught|New interpreter error|cannot start|^sensor /;
  expect(device.lines.filter((line) => wrong.test(line))).toEqual([]);
}

const EVERY = { periodSeconds: 1, qos: 1 };
const BENCH = {
  network: "host",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  queue: { readings: 16, flash: 512 },
};

describeEspruino("drivers in Espruino", () => {
  it("make of a BME280's registers what Node makes of them, within the memory there is", {
    timeout: TEST_MS,
  }, async () => {
    const sensors = [{ driver: "bme280", periodSeconds: 2, qos: 1 }];
    const { device, receiver, values } = await start({ name: "bme280", ...BENCH, sensors }, BUS);
    const found = await gather(receiver, ["temperature", "pressure", "humidity"]);
    const [temperature = 0, pressure, humidity = 0] = values;
    expect(found.get("temperature")).toBeCloseTo(temperature / 100, 9);
    expect(found.get("pressure")).toBe(pressure);
    expect(found.get("humidity")).toBeCloseTo(humidity / 100, 9);

    await new Promise<void>((resolve) => {
      receiver.onLine = ({ sequence }) => sequence >= SETTLED && resolve();
    });
    await device.evaluate(
      `(global.looks=0,setInterval(function(){print("usage "+process.memory().usage+" "+looks++)},500))`,
    );
    await device.line(/^usage \d+ 20$/);
    const counts = device.lines.flatMap((line) => /^usage (\d+) /.exec(line)?.[1] ?? []);
    noteVariables("bme280", Math.min(...counts.map(Number)));
    expectNoErrors(device);
  });

  it("measure and refine", { timeout: TEST_MS }, async () => {
    const sensors = [
      { ...EVERY, driver: "ds18b20", pin: "D4", range: { temperature: { min: 0, max: 40 } } },
      { ...EVERY, driver: "analogue", pin: "D2", unit: "V", scale: 4, offset: -1, decimals: 1 },
    ];
    const { device, receiver } = await start({ name: "wire", ...BENCH, sensors }, BUS + PINS);
    const found = await gather(receiver, ["temperature", "level"]);
    expect([found.get("temperature"), found.get("level")]).toEqual([21.5, 0.5]);
    expectNoErrors(device);
  });

  it("average, count and tell of changes", { timeout: TEST_MS }, async () => {
    const sensors = [
      { ...EVERY, driver: "bmp280", name: "attic", average: 3 },
      { ...EVERY, driver: "digital", pin: "D3", name: "door", eventSeconds: 1 },
      { ...EVERY, driver: "pulses", pin: "D1", deadband: { pulses: 0 }, heartbeatSeconds: 600 },
    ];
    const { device, receiver, values } = await start(
      { name: "counts", ...BENCH, sensors },
      `${BUS}${PINS}`.replace('Storage").read("registers")', 'Storage").read("bmp280")'),
    );
    const first = await gather(receiver, ["attic-pressure", "door-input", "total"]);
    expect(first.get("attic-pressure")).toBe(values[1]);
    expect([first.get("door-input"), first.get("pulses"), first.get("total")]).toEqual([0, 0, 0]);

    const changed = new Promise<Partial<StoredLine>>((resolve) => {
      receiver.onLine = (line) => {
        const { kind, name } = line as { kind?: string; name: string };
        if (kind === "event" && name === "door-input") resolve(line);
      };
    });
    await device.evaluate("(level=1,watches.forEach(function(w){w()}),watches.length)");
    expect((await changed).value).toBe(1);
    const later = new Promise<number>((resolve) => {
      receiver.onLine = ({ name, value }) => name === "total" && value > 1 && resolve(value);
    });
    await device.evaluate("(watches.forEach(function(w){w()}),1)");
    await device.evaluate("(watches.forEach(function(w){w()}),1)");
    expect(await later).toBeGreaterThanOrEqual(2);
    expectNoErrors(device);
  });
});
