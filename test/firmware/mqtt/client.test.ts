import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import type { MqttClient as Observer } from "mqtt";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Qos } from "../../../firmware/mqtt/packet.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import type { MqttDevice } from "../../support/mqtt-device.ts";
import { createMqttDevice, DOWN } from "../../support/mqtt-device.ts";
import type { Direction, MqttProxy, Verdict } from "../../support/mqtt-proxy.ts";
import { startMqttProxy } from "../../support/mqtt-proxy.ts";

interface Broker {
  port: number;
  close(): Promise<void>;
}

async function startAedes(): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const server: Server = createServer((socket) => aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        aedes.close();
      }),
  };
}

const UP = "cf/1/0123456789abcdef/session";
const QOS: Qos[] = [0, 1, 2];
const STEPS = ["publish", "pubrec", "pubrel", "pubcomp"];
const CUTS: Verdict[] = ["cut-before", "cut-after"];

describe.each<[string, () => Promise<Broker>]>([
  ["Mosquitto", startMosquitto],
  ["aedes", startAedes],
])("client against %s", (_name, startBroker) => {
  let broker: Broker;
  let proxy: MqttProxy;
  let observer: Observer;
  let device: MqttDevice;
  /** Payloads that the independent subscriber got. */
  let delivered: string[];

  beforeEach(async () => {
    broker = await startBroker();
    proxy = await startMqttProxy(broker.port);
    observer = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 4 });
    delivered = [];
    device = createMqttDevice(proxy.port);
    observer.on("message", (_topic, payload) => {
      delivered.push(payload.toString("latin1"));
      device.look();
    });
    await observer.subscribeAsync(UP, { qos: 2 });
  });

  afterEach(async () => {
    device.powerOff();
    await observer.endAsync(true);
    await proxy.close();
    await broker.close();
  });

  async function online(): Promise<void> {
    const before = device.sessions.length;
    device.client.connect();
    await device.until(() => device.sessions.length > before);
  }

  /** Cuts the connection once, at the first packet of this kind. */
  function cutOnce(direction: Direction, step: string, verdict: Verdict): void {
    proxy.judge = (from, packet) => {
      if (from !== direction || packet.cmd !== step) return "pass";
      proxy.judge = () => "pass";
      return verdict;
    };
  }

  it("delivers up at every QoS, in order, bytes untouched", async () => {
    await online();
    const binary = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const outcomes = QOS.map((qos) => device.send(UP, `${qos}${binary}`, qos));
    await Promise.all(outcomes);
    await device.until(() => delivered.length === 3);
    expect(delivered.slice().sort()).toEqual(QOS.map((qos) => `${qos}${binary}`));
  });

  it("delivers many up, more than may be in flight, in order", async () => {
    await online();
    const payloads = Array.from({ length: 60 }, (_, i) => `${i}`);
    await Promise.all(payloads.map((payload, i) => device.send(UP, payload, i % 2 ? 2 : 1)));
    await device.until(() => delivered.length === 60);
    // QoS 1 may overtake QoS 2; within a QoS the order holds.
    for (const odd of [0, 1])
      expect(delivered.filter((payload) => Number(payload) % 2 === odd)).toEqual(
        payloads.filter((payload) => Number(payload) % 2 === odd),
      );
  });

  it("receives at every QoS, once each", async () => {
    await online();
    for (const qos of QOS) await observer.publishAsync(DOWN, `\x00${qos}`, { qos });
    await device.until(() => device.messages.length === 3);
    expect(device.messages.slice().sort()).toEqual(QOS.map((qos) => `\x00${qos}`));
    await observer.publishAsync(DOWN, "end", { qos: 2 });
    await device.until(() => device.messages.length === 4);
  });

  it("receives what was queued while it was away", async () => {
    await online();
    expect(device.sessions).toEqual([false]);
    device.powerOff();
    const payloads = Array.from({ length: 50 }, (_, i) => `${i}`);
    for (const payload of payloads) await observer.publishAsync(DOWN, payload, { qos: 2 });
    device = createMqttDevice(proxy.port);
    await online();
    await device.until(() => device.messages.length === 50);
    expect(device.messages).toEqual(payloads);
    expect(device.sessions).toEqual([true]);
  });

  describe.each(CUTS)("connection %s", (verdict) => {
    it.each(STEPS)("at %s of a QoS 2 message up: delivered once", async (step) => {
      await online();
      const direction = step === "publish" || step === "pubrel" ? "up" : "down";
      cutOnce(direction, step, verdict);
      await device.send(UP, "first", 2);
      await device.until(() => device.sessions.length === 2);
      expect(device.reasons).toEqual(["closed"]);
      expect(device.sessions).toEqual([false, true]);
      await device.send(UP, "second", 2);
      await device.until(() => delivered.includes("second"));
      expect(delivered).toEqual(["first", "second"]);
    });

    it.each(STEPS)("at %s of a QoS 2 message down: acted on once", async (step) => {
      await online();
      const direction = step === "publish" || step === "pubrel" ? "down" : "up";
      cutOnce(direction, step, verdict);
      await observer.publishAsync(DOWN, "first", { qos: 2 });
      await device.until(() => device.sessions.length === 2);
      await observer.publishAsync(DOWN, "second", { qos: 2 });
      await device.until(() => device.messages.includes("second"));
      expect(device.messages).toEqual(["first", "second"]);
    });

    it.each(["publish", "puback"])("at %s of a QoS 1 message up: delivered", async (step) => {
      await online();
      cutOnce(step === "publish" ? "up" : "down", step, verdict);
      await device.send(UP, "first", 1);
      await device.until(() => delivered.includes("first"));
      expect(delivered.length).toBeLessThanOrEqual(2);
    });

    it.each(["publish", "puback"])("at %s of a QoS 1 message down: acted on", async (step) => {
      await online();
      cutOnce(step === "publish" ? "down" : "up", step, verdict);
      await observer.publishAsync(DOWN, "first", { qos: 1 });
      await device.until(() => device.sessions.length === 2 && device.messages.length > 0);
      expect(device.messages.length).toBeLessThanOrEqual(2);
      expect(new Set(device.messages)).toEqual(new Set(["first"]));
    });

    it.each(["connack", "suback"])("at %s: connects at the next attempt", async (step) => {
      cutOnce("down", step, verdict);
      await online();
      // A suback that arrived made the client online before the connection went.
      if (verdict === "cut-after" && step === "suback")
        await device.until(() => device.sessions.length === 2);
      expect(device.reasons).toContain("closed");
      await device.send(UP, "after", 2);
    });
  });

  it("resends four in flight in their order", async () => {
    await online();
    let published = 0;
    proxy.judge = (direction, packet) => {
      if (packet.cmd === "publish") published += 1;
      setImmediate(device.look);
      return direction === "down" && packet.cmd === "pubrec" ? "drop" : "pass";
    };
    const payloads = ["a", "b", "c", "d"];
    const outcomes = payloads.map((payload) => device.send(UP, payload, 2));
    await device.until(() => published === 4);
    // Four are in flight: a QoS 0 message passes them.
    proxy.judge = () => "cut-before";
    await device.send(UP, "zero", 0);
    await device.until(() => device.reasons.length > 0);
    proxy.judge = () => "pass";
    await Promise.all(outcomes);
    await device.until(() => delivered.length >= 4);
    expect(delivered).toEqual(payloads);
  });

  it("notices a half-open connection within one and a half keepAlive", async () => {
    device = createMqttDevice(proxy.port, { keepAlive: 2 });
    await online();
    proxy.freeze();
    const since = performance.now();
    await device.until(() => device.reasons.length > 0);
    expect(device.reasons[0]).toBe("keep-alive");
    expect(performance.now() - since).toBeLessThan(3000);
    await device.until(() => device.sessions.length === 2);
    await device.send(UP, "again", 2);
  });

  it("keeps an idle connection up by pings", async () => {
    device = createMqttDevice(proxy.port, { keepAlive: 1 });
    await online();
    const pings = () => proxy.seen.filter((step) => step === "down pingresp").length;
    const look = setInterval(device.look, 50);
    await device.until(() => pings() >= 3);
    clearInterval(look);
    expect(device.reasons).toEqual([]);
  });
});
