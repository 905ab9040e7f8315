/** The network layer of the flashed bundle in Espruino: brokers in turn, TLS, QoS 1 for 2. */

import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import mqtt from "mqtt";
import { type OutputOptions, rollup } from "rollup";
import { afterEach, expect, it } from "vitest";
import type { DeviceTrust } from "../../cloud/keys/device-trust.ts";
import { bundleOptions } from "../../scripts/build/bundle.mjs";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { freePort } from "../support/free-port.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, type StoredLine } from "../support/serve.ts";
import { startTlsMosquitto } from "../support/tls-broker.ts";
import { makeTrust } from "../support/trust.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.2, qos: 1 }],
  queue: { readings: 64 },
};

const DIST = join(import.meta.dirname, "../../dist");

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** The MQTT client by itself: on Linux, TLS takes half of 4,095 variables, and the whole bundle too. */
const CLIENT = `
  import { createClock } from "./espruino/clock.js";
  import { net } from "./espruino/net.js";
  import { createMqttClient } from "./mqtt/client.js";
  var sent = false;
  var client = createMqttClient({
    net: net,
    clock: createClock(),
    random: function () { return "\\0\\0"; },
    log: console.log,
    brokers: require("Storage").readJSON("brokers", true),
    clientId: "cf-test",
    keepAlive: 60,
    subscriptions: [{ topicFilter: "down", qos: 2 }],
    onMessage: function (topic, payload) { console.log("got " + payload); },
    onConnection: function () {},
    onReady: function () {
      if (!sent) sent = client.publish("up", "hello", 2, function () { console.log("done"); });
    },
  });
  client.connect();`;

async function bundleClient(directory: string): Promise<string> {
  const boardFile = join(directory, "client.json");
  await writeFile(boardFile, JSON.stringify({ sensors: [] }));
  const { output, ...input } = bundleOptions({ boardFile, dist: DIST, outputDirectory: directory });
  const entry = String(input.input);
  const plugin = { name: "entry", load: (id: string) => (id === entry ? CLIENT : null) };
  const built = await rollup({ ...input, plugins: [plugin, input.plugins] });
  await built.write(output as OutputOptions);
  await built.close();
  return readFile(join(directory, "client.js"), "utf8");
}

async function flash(brokers: object[], trust: DeviceTrust): Promise<string> {
  const [directory, remove] = await temporaryDirectory("emulator-network");
  cleanUp.push(remove);
  const { bundle } = await bundleBoard(directory, BOARD);
  await writeFlash(directory, {
    ".bootcde": readFileSync(bundle),
    "coseflow.json": JSON.stringify({ brokers, ...trust, receiptSeconds: 10 }),
  });
  return directory;
}

/** Boots a device with these brokers and waits until the cloud at `url` has ten of its readings. */
async function deliver(url: string, brokers: object[]): Promise<Interpreter> {
  const [directory, remove] = await temporaryDirectory("emulator-cloud");
  cleanUp.push(remove);
  const receiver = await createReceiver(directory, url);
  const device = boot(await flash(brokers, receiver.trust));
  cleanUp.push(device.powerOff);
  const [, key] = await device.line(/--key ([0-9a-f]{130})/);
  await receiver.command("device", "register", "--key", key as string);
  const enough = new Promise<void>((resolve) => {
    receiver.onLine = (line: StoredLine) => {
      if (line.sequence >= 10) resolve();
    };
  });
  await receiver.start();
  cleanUp.push(receiver.kill);
  // No such line comes: the second of them only tells of an interpreter that ended.
  await Promise.race([enough, device.line(/^\n/)]);
  return device;
}

describeEspruino("the network in Espruino", () => {
  it("carries MQTT over TLS, past brokers that are not there or break off the handshake", {
    timeout: 60_000,
  }, async () => {
    // RSA: Espruino's own mbedTLS for Linux knows no ECDSA certificate.
    const broker = await startTlsMosquitto("rsa");
    const other = await startTlsMosquitto("ec");
    cleanUp.push(broker.close, other.close);
    const { host, port } = broker;
    const observer = await mqtt.connectAsync(broker.plainUrl);
    cleanUp.push(() => observer.endAsync(true));
    const got = new Promise<string>((resolve) => {
      observer.on("message", (_topic, payload, { qos }) => resolve(`${payload} ${qos}`));
    });
    await observer.subscribeAsync("up", { qos: 2 });
    const [directory, remove] = await temporaryDirectory("emulator-tls");
    cleanUp.push(remove);
    await writeFlash(directory, {
      ".bootcde": await bundleClient(directory),
      brokers: JSON.stringify([
        { host, port: await freePort() },
        { host, port: other.port, tls: true },
        { host, port, tls: true },
      ]),
    });
    const device = boot(directory);
    cleanUp.push(device.powerOff);
    expect(await got).toBe("hello 2");
    await device.line(/^done$/);
    await observer.publishAsync("down", "and back", { qos: 2 });
    await device.line(/^got and back$/);
    expect(device.lines.filter((line) => line.startsWith("mqtt: "))).toEqual([
      expect.stringMatching(/^mqtt: connect: InternalError: Unable to create socket; next/),
      expect.stringMatching(/^mqtt: closed; next/),
      "mqtt: connected to 127.0.0.1, session new",
    ]);
  });

  it("sends all at QoS 1 to a broker that is declared so", async () => {
    const broker = await startMosquitto({ config: "max_qos 1" });
    cleanUp.push(broker.close);
    const { host, port } = broker;
    const device = await deliver(broker.url, [{ host, port, maxQos: 1 }]);
    expect(device.lines.filter((line) => /next attempt|Uncaught/.test(line))).toEqual([]);
  });

  it("does not start under wrong settings, and says which", { timeout: 60_000 }, async () => {
    const device = boot(await flash([{ host: "h", port: 1, maxqos: 1 }], await makeTrust()));
    cleanUp.push(device.powerOff);
    const [line] = await device.line(/^coseflow cannot start.*/);
    expect(line).toBe(
      "coseflow cannot start: coseflow.json brokers[0], expected only host, port, username, password, tls, maxQos, got maxqos",
    );
  });
});
