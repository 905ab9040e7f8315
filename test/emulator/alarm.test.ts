/** A threshold of a board file in Espruino, in the bundle, up to the cloud, over a restart. */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";

const TEST_MS = 180_000;

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** A pin with a converter, which reads what a test says. */
const PIN = `
  var share = 0.375;
  global.pinMode = function () {};
  global.analogRead = function () { return share; };`;

const BOARD = {
  name: "tank",
  network: "host",
  queue: { readings: 16, flash: 512 },
  sensors: [
    {
      ...{ driver: "analogue", periodSeconds: 1, qos: 1, pin: "D2" },
      ...{ unit: "V", scale: 4, offset: -1, decimals: 1 },
      alarm: { level: { above: 2, hysteresis: 0.5 } },
    },
  ],
};

function expectNoErrors(device: Interpreter): void {
  const wrong = /Uncaught|New interpreter error|cannot start|^sensor |^alarm of /;
  expect(device.lines.filter((line) => wrong.test(line))).toEqual([]);
}

describeEspruino("an alarm in Espruino", () => {
  it("tells of a value above a threshold, and after a restart that it is back", {
    timeout: TEST_MS,
  }, async () => {
    const [directory, remove] = await temporaryDirectory("alarm");
    cleanUp.push(remove);
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const receiver = await createReceiver(directory, broker.url);
    const { bundle } = await bundleBoard(directory, BOARD);
    await writeFlash(directory, {
      ".boot0": PIN,
      ".bootcde": readFileSync(bundle),
      "coseflow.json": JSON.stringify({
        brokers: [{ host: broker.host, port: broker.port }],
        ...receiver.trust,
        receiptSeconds: 1,
      }),
    });
    const told: [string, number][] = [];
    let seen = () => {};
    receiver.onLine = ({ name, value }) => {
      told.push([name, value]);
      seen();
    };
    const shows = (name: string, value: number) =>
      new Promise<void>((resolve) => {
        seen = () => told.some((each) => each[0] === name && each[1] === value) && resolve();
        seen();
      });
    const device = boot(directory);
    cleanUp.push(device.powerOff);
    const [, key = ""] = await device.line(/--key ([0-9a-f]{130})/);
    await receiver.command("device", "register", "--key", key, "--name", "bench");
    await receiver.start();
    cleanUp.push(receiver.kill);

    await shows("level", 0.5);
    await device.evaluate("share=0.9");
    await shows("level-alarm", 1);
    await shows("level", 2.6);
    expectNoErrors(device);
    await device.powerOff();

    const again = boot(directory);
    cleanUp.push(again.powerOff);
    await shows("level-alarm", 0);
    expectNoErrors(again);
    expect(told.filter(([name]) => name === "level-alarm")).toEqual([
      ["level-alarm", 1],
      ["level-alarm", 0],
    ]);
  });
});
