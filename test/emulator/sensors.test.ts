/**
 * Every driver in Espruino, in the bundle, up to the cloud. The chips are stubs there, and what is
 * expected is what Node makes of the same registers.
 */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, type Receiver, type StoredLine } from "../support/serve.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";
import { STUBS, VALUES } from "./sensor-stubs.ts";
import { noteVariables } from "./variables.ts";

const TEST_MS = 180_000;
/** Readings until the queue is empty at times. */
const SETTLED = 6;

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function start(board: { name: string; sensors: object[] }) {
  const [directory, remove] = await temporaryDirectory("sensors");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  const { bundle } = await bundleBoard(directory, board);
  await writeFlash(directory, {
    ...STUBS,
    ".bootcde": readFileSync(bundle),
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
  return { device, receiver };
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
    const { device, receiver } = await start({ name: "bme280", ...BENCH, sensors });
    const found = await gather(receiver, ["temperature", "pressure", "humidity"]);
    const [temperature = 0, pressure, humidity = 0] = VALUES;
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
    const { device, receiver } = await start({ name: "wire", ...BENCH, sensors });
    const found = await gather(receiver, ["temperature", "level"]);
    expect([found.get("temperature"), found.get("level")]).toEqual([21.5, 0.5]);
    expectNoErrors(device);
  });

  it("average, count and tell of changes", { timeout: TEST_MS }, async () => {
    const sensors = [
      { ...EVERY, driver: "bmp280", address: 119, name: "attic", average: 3 },
      { ...EVERY, driver: "digital", pin: "D3", name: "door", eventSeconds: 1 },
      { ...EVERY, driver: "pulses", pin: "D1", deadband: { pulses: 0 }, heartbeatSeconds: 600 },
    ];
    const { device, receiver } = await start({ name: "counts", ...BENCH, sensors });
    const first = await gather(receiver, ["attic-pressure", "door-input", "total"]);
    expect(first.get("attic-pressure")).toBe(VALUES[1]);
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
