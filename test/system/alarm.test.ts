/** A threshold of a board file, from the simulated sensor to what the cloud shows, over a power cut. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { launchDevice } from "../../simulator/launch.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const SENSOR = { driver: "sht3x", periodSeconds: 1, qos: 1 };
const BOARD = {
  name: "cellar",
  network: "host",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  queue: { readings: 16, flash: 512 },
  sensors: [{ ...SENSOR, alarm: { temperature: { above: 30, below: 5, hysteresis: 0.5 } } }],
};

interface Line {
  kind?: string;
  name: string;
  value: number;
  unit: string;
}

it("is told when a value crosses it, and when it is back, though the power went in between", async () => {
  const [directory, remove] = await temporaryDirectory("alarm");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  const files = await bundleBoard(directory, BOARD);
  const air = { celsius: 20, relativeHumidity: 50 };
  const lines: string[] = [];
  const launch = (port: number) =>
    launchDevice({
      files,
      directory: join(directory, "device"),
      settings: { brokers: [{ host: broker.host, port }], ...receiver.trust, receiptSeconds: 1 },
      console: (line) => lines.push(line),
      environment: () => air,
    });
  // Port 9 is nobody's: the first boot is for the key alone.
  launch(9).powerOff();
  const [, key = ""] = /--key ([0-9a-f]{130})/.exec(lines.join("\n")) ?? [];
  await receiver.command("device", "register", "--key", key, "--name", "shed");
  const shown: Line[] = [];
  let seen = (_line: Line) => {};
  receiver.onLine = (line) => {
    const each = line as unknown as Line;
    shown.push(each);
    seen(each);
  };
  const next = (name: string) =>
    new Promise<Line>((resolve) => {
      seen = (line) => line.name === name && resolve(line);
    });
  await receiver.start();
  cleanUp.push(receiver.kill);

  const calm = next("temperature");
  let device = launch(broker.port);
  expect((await calm).value).toBeCloseTo(20, 1);
  const alarm = next("temperature-alarm");
  air.celsius = 31.5;
  expect(await alarm).toMatchObject({ kind: "event", device: "shed", value: 1, unit: "/" });
  await next("temperature");
  const told = shown.filter(({ kind }) => kind === "event").map(({ name, value }) => [name, value]);
  expect(told).toEqual([
    ["temperature-alarm", 1],
    ["temperature", expect.closeTo(31.5, 1)],
    ["humidity", expect.closeTo(50, 1)],
  ]);

  device.powerOff();
  air.celsius = 29.8;
  const slack = next("temperature");
  device = launch(broker.port);
  cleanUp.push(() => device.powerOff());
  expect((await slack).value).toBeCloseTo(29.8, 1);
  const end = next("temperature-alarm");
  air.celsius = 29.4;
  expect(await end).toMatchObject({ kind: "event", value: 0 });
  expect(lines.filter((line) => /Uncaught|alarm of|cannot start/.test(line))).toEqual([]);
});

it("is in no bundle of a board that has none", async () => {
  const [directory, remove] = await temporaryDirectory("no-alarm");
  cleanUp.push(remove);
  const text = async (sensors: object[]) => {
    const board = { ...BOARD, sensors };
    return readFileSync((await bundleBoard(directory, board)).bundle, "latin1");
  };
  expect(await text(BOARD.sensors)).toContain("-alarm");
  expect(await text([SENSOR])).not.toContain("alarm");
  expect(await text([{ ...SENSOR, name: "attic" }])).not.toContain("alarm");
});
