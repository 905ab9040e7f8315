/** The health record of the flashed bundle, signed in Espruino itself, over Mosquitto to the cloud. */

import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, type StoredLine } from "../support/serve.ts";
import { boot, describeEspruino, writeFlash } from "./espruino.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 5, qos: 1 }],
  queue: { readings: 16 },
};
/** Names of the record that a board without Wi-Fi sends. */
const NAMES = [
  ..."boot-uptime boot-session boot-sequence boots reset variables queue dropped".split(" "),
  ..."sessions reconnects refused malformed errors".split(" "),
];

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describeEspruino("the health record from Espruino", () => {
  it("arrives when the boot has lasted a minute, all of it", { timeout: 240_000 }, async () => {
    const [directory, remove] = await temporaryDirectory("health");
    cleanUp.push(remove);
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const receiver = await createReceiver(directory, broker.url);
    const { bundle } = await bundleBoard(directory, BOARD);
    await writeFlash(directory, {
      ".bootcde": readFileSync(bundle),
      "coseflow.json": JSON.stringify({
        brokers: [{ host: broker.host, port: broker.port }],
        ...receiver.trust,
        receiptSeconds: 2,
      }),
    });
    const values = new Map<string, unknown>();
    const complete = new Promise<void>((resolve) => {
      receiver.onLine = (line: StoredLine & { kind?: string }) => {
        if (line.kind !== "event") return;
        values.set(line.name, line.value);
        if (values.size === NAMES.length) resolve();
      };
    });
    const device = boot(directory);
    cleanUp.push(device.powerOff);
    const [, publicKey] = await device.line(/--key ([0-9a-f]{130})/);
    const args = ["--key", publicKey as string, "--name", "emulated"];
    await receiver.command("device", "register", ...args);
    await receiver.start();
    cleanUp.push(receiver.kill);
    await complete;
    expect([...values.keys()].sort()).toEqual([...NAMES].sort());
    expect(values.get("boot-uptime")).toBeGreaterThanOrEqual(60);
    expect(values.get("boot-session")).toBe(1);
    expect(values.get("boot-sequence")).toBeGreaterThan(5);
    expect(values.get("errors")).toBe(0);
    expect(device.lines.filter((line) => /Uncaught|New interpreter error/.test(line))).toEqual([]);
  });
});
