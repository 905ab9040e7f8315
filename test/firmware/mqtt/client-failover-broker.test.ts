import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import type { Broker } from "../../../firmware/mqtt/broker.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { createMqttDevice, DOWN } from "../../support/mqtt-device.ts";
import { startMqttProxy } from "../../support/mqtt-proxy.ts";

const UP = "cf/1/0123456789abcdef/session";
const HOST = "127.0.0.1";
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A broker behind a proxy, and somebody who listens there. */
async function startSide(config = "") {
  const broker = await startMosquitto({ config });
  const proxy = await startMqttProxy(broker.port);
  const observer = await connectAsync(broker.url, { protocolVersion: 4 });
  cleanups.push(broker.close, proxy.close, () => observer.endAsync(true));
  const delivered: string[] = [];
  await observer.subscribeAsync(UP, { qos: 2 });
  observer.on("message", (_topic, payload, { qos }) => {
    delivered.push(`${payload} ${qos}`);
    look();
  });
  let look = () => {};
  return { proxy, observer, delivered, watch: (then: () => void) => (look = then) };
}

type Side = Awaited<ReturnType<typeof startSide>>;

function startClient(sides: Side[], extra: Partial<Broker>[] = []) {
  const device = createMqttDevice(0, {
    brokers: sides.map(({ proxy }, at) => ({ host: HOST, port: proxy.port, ...extra[at] })),
  });
  for (const side of sides) side.watch(device.look);
  cleanups.push(() => device.powerOff());
  device.client.connect();
  return device;
}

describe("client between two brokers", () => {
  it("carries what is in flight over, each message as new, and back", async () => {
    const [first, second] = [await startSide(), await startSide()];
    const device = startClient([first, second]);
    // The first broker takes what it gets, and its acknowledgements are lost.
    first.proxy.judge = (direction, packet) => {
      setImmediate(device.look);
      return direction === "down" && /^pub(?:rec|comp)$/.test(`${packet.cmd}`) ? "drop" : "pass";
    };
    await device.until(() => device.sessions.length === 1);
    const outcomes = ["a", "b"].map((payload) => device.send(UP, payload, 2));
    await device.until(() => first.proxy.seen.filter((s) => s === "up publish").length === 2);
    first.proxy.open = false;
    first.proxy.judge = () => "cut-before";
    await device.send(UP, "cut", 0);
    await Promise.all(outcomes);
    await device.until(() => second.delivered.length === 2);
    expect(second.delivered).toEqual(["a 2", "b 2"]);

    // Back at the first one, whose old session the client has outgrown.
    first.proxy.judge = () => "pass";
    first.proxy.open = true;
    second.proxy.open = false;
    second.proxy.judge = () => "cut-before";
    await device.send(UP, "cut", 0);
    await device.until(() => device.sessions.length === 3);
    expect(device.sessions).toEqual([false, false, true]);
    await device.send(UP, "c", 2);
    await device.until(() => first.delivered.includes("c 2"));
  });

  it("gets what each broker has kept for it", async () => {
    const [first, second] = [await startSide(), await startSide()];
    const device = startClient([first, second]);
    await device.until(() => device.sessions.length === 1);
    first.proxy.open = false;
    first.proxy.judge = () => "cut-before";
    await device.send(UP, "cut", 0);
    await device.until(() => device.sessions.length === 2);
    await first.observer.publishAsync(DOWN, "kept", { qos: 2 });
    await second.observer.publishAsync(DOWN, "live", { qos: 2 });
    await device.until(() => device.messages.length === 1);
    first.proxy.judge = () => "pass";
    first.proxy.open = true;
    second.proxy.open = false;
    second.proxy.judge = () => "cut-before";
    await device.send(UP, "cut", 0);
    await device.until(() => device.messages.length === 2);
    expect(device.messages).toEqual(["live", "kept"]);
  });

  it("changes the QoS of a message with the broker", async () => {
    const [first, second] = [await startSide(), await startSide("max_qos 1")];
    first.proxy.judge = (direction, packet) =>
      direction === "down" && packet.cmd === "pubrec" ? "cut-before" : "pass";
    const device = startClient([first, second], [{}, { maxQos: 1 }]);
    await device.until(() => device.sessions.length === 1);
    await device.send(UP, "a", 2);
    await device.until(() => second.delivered.length === 1);
    expect(second.delivered).toEqual(["a 1"]);
    expect(device.reasons).toEqual(["closed"]);
  });
});
