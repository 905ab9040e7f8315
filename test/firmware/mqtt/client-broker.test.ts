import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import type { MqttOptions } from "../../../firmware/mqtt/options.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { freePort } from "../../support/free-port.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { createMqttDevice, DOWN } from "../../support/mqtt-device.ts";
import { startMqttProxy } from "../../support/mqtt-proxy.ts";

const UP = "cf/1/0123456789abcdef/session";
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startAll(options: Partial<MqttOptions> = {}) {
  const broker = await startMosquitto();
  const proxy = await startMqttProxy(broker.port);
  const device = createMqttDevice(proxy.port, options);
  const observer = await connectAsync(broker.url, { protocolVersion: 4, reconnectPeriod: 20 });
  const delivered: string[] = [];
  observer.on("message", (_topic, payload) => {
    delivered.push(payload.toString());
    device.look();
  });
  await observer.subscribeAsync(UP, { qos: 2 });
  device.client.connect();
  await device.until(() => device.sessions.length === 1);
  cleanups.push(
    () => broker.close(),
    () => proxy.close(),
    () => observer.endAsync(true),
    () => device.powerOff(),
  );
  return { broker, proxy, device, observer, delivered };
}

async function startAedes(options: ConstructorParameters<typeof Aedes>[0]): Promise<number> {
  const aedes = await Aedes.createBroker(options);
  const server: Server = createServer((socket) => aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.close();
    aedes.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("client, its broker gone", () => {
  it("killed: publishes what was in flight again as new, in order, each once", async () => {
    const { broker, proxy, device, observer, delivered } = await startAll();
    let swallowed = 0;
    proxy.judge = (direction, packet) => {
      if (direction === "up" || !["pubrec", "pubcomp"].includes(packet.cmd ?? "")) return "pass";
      // Two messages lose their PUBREC, two their PUBCOMP.
      const before = swallowed++;
      setImmediate(device.look);
      return before < 2 || packet.cmd === "pubcomp" ? "drop" : "pass";
    };
    const payloads = ["a", "b", "c", "d"];
    const outcomes = payloads.map((payload) => device.send(UP, payload, 2));
    await device.until(() => swallowed === 6);
    proxy.open = false;
    await broker.stop("SIGKILL");
    await device.until(() => device.reasons.length > 0);
    const dups: unknown[] = [];
    proxy.judge = (_direction, packet) => {
      if (packet.cmd === "publish") dups.push(packet.dup);
      return "pass";
    };
    delivered.length = 0;
    const back = new Promise((resolve) => observer.once("connect", resolve));
    await broker.restart();
    await back;
    await observer.subscribeAsync(UP, { qos: 2 });
    proxy.open = true;
    await Promise.all(outcomes);
    await device.until(() => delivered.length >= 4);
    expect(delivered).toEqual(payloads);
    expect(device.sessions).toEqual([false, false]);
    expect(dups).toEqual([false, false, false, false]);
  });

  it("stopped and started with its sessions: goes on where it was", async () => {
    // With pauses: connections in a row that the proxy opens for nobody would end the session.
    const random = (length: number) => "\x80".repeat(length) as Bytes;
    const { broker, proxy, device, observer } = await startAll({ random });
    let swallowed = false;
    proxy.judge = (direction, packet) => {
      if (direction === "up" || packet.cmd !== "pubcomp") return "pass";
      swallowed = true;
      device.look();
      return "drop";
    };
    const outcome = device.send(UP, "a", 2);
    await device.until(() => swallowed);
    proxy.open = false;
    await broker.stop();
    await broker.restart();
    proxy.judge = () => "pass";
    proxy.seen.length = 0;
    proxy.open = true;
    await outcome;
    expect(proxy.seen).toContain("up pubrel");
    expect(proxy.seen).not.toContain("up publish");
    await device.until(() => device.sessions.length === 2);
    expect(device.sessions).toEqual([false, true]);
    await observer.publishAsync(DOWN, "after", { qos: 2 });
    await device.until(() => device.messages.includes("after"));
  });

  it("absent: keeps trying, and connects once it is there", async () => {
    const port = await freePort();
    const device = createMqttDevice(port);
    device.client.connect();
    await device.until(() => device.reasons.length >= 3);
    expect(new Set(device.reasons)).toEqual(new Set(["closed"]));
    expect(device.client.publish(UP, "x" as never, 2, () => {})).toBe(false);
    const aedes = await Aedes.createBroker();
    const server = createServer((socket) => aedes.handle(socket));
    server.listen(port, "127.0.0.1");
    cleanups.push(
      () => server.close(),
      () => aedes.close(),
      () => device.powerOff(),
    );
    await device.until(() => device.sessions.length === 1);
  });
});

describe("client refused", () => {
  it.each([
    [2, "refused-client-id"],
    [3, "refused-unavailable"],
    [4, "refused-credentials"],
    [5, "refused-authorization"],
  ])("by CONNACK code %i: says so, tries again", async (returnCode, reason) => {
    let asked = 0;
    const port = await startAedes({
      authenticate(_client, _username, _password, done) {
        asked += 1;
        if (asked > 2) done(null, true);
        else done(Object.assign(new Error("no"), { returnCode }), false);
      },
    });
    const device = createMqttDevice(port);
    cleanups.push(() => device.powerOff());
    device.client.connect();
    await device.until(() => device.sessions.length === 1);
    expect(device.reasons).toEqual([reason, reason]);
  });

  it("by Mosquitto without a password, accepted with the right one", async () => {
    const broker = await startMosquitto();
    await broker.stop();
    writeFileSync(`${broker.directory}/passwords`, "cf:secret\n");
    execFileSync("mosquitto_passwd", ["-U", `${broker.directory}/passwords`]);
    const config = `${broker.directory}/mosquitto.conf`;
    writeFileSync(
      config,
      `${readFileSync(config, "utf8").replace("allow_anonymous true", "allow_anonymous false")}
password_file ${broker.directory}/passwords\n`,
    );
    await broker.restart();
    cleanups.push(() => broker.close());
    const as = (password: string) => ({
      brokers: [{ host: broker.host, port: broker.port, username: "cf", password }],
    });
    const refused = createMqttDevice(broker.port, as("wrong"));
    refused.client.connect();
    await refused.until(() => refused.reasons.length > 0);
    refused.powerOff();
    expect(refused.reasons[0]).toBe("refused-authorization");
    const device = createMqttDevice(broker.port, as("secret"));
    device.client.connect();
    await device.until(() => device.sessions.length === 1);
    device.powerOff();
  });

  it("a subscription: an error and another attempt, never silence", async () => {
    let asked = 0;
    const port = await startAedes({
      authorizeSubscribe(_client, subscription, callback) {
        asked += 1;
        callback(null, asked > 1 ? subscription : null);
      },
    });
    const device = createMqttDevice(port);
    cleanups.push(() => device.powerOff());
    device.client.connect();
    await device.until(() => device.sessions.length === 1);
    expect(device.reasons).toEqual(["subscribe"]);
  });
});

describe("client subscriptions", () => {
  it("several are granted, and survive a reconnect", async () => {
    const { proxy, observer } = await startAll();
    const device = createMqttDevice(proxy.port, {
      clientId: "cf-other",
      subscriptions: [
        { topicFilter: DOWN, qos: 2 },
        { topicFilter: "cf/1/cloud", qos: 1 },
      ],
    });
    cleanups.push(() => device.powerOff());
    device.client.connect();
    await device.until(() => device.sessions.length === 1);
    await observer.publishAsync("cf/1/cloud", "certificate", { qos: 1, retain: true });
    await observer.publishAsync(DOWN, "command", { qos: 2 });
    await device.until(() => device.messages.length === 2);
    expect(device.messages.slice().sort()).toEqual(["certificate", "command"]);
    proxy.judge = () => "cut-before";
    await device.send(UP, "x", 0);
    await device.until(() => device.reasons.length > 0);
    proxy.judge = () => "pass";
    await device.until(() => device.messages.filter((m) => m === "certificate").length === 2);
  });

  it("a message whose handler throws is not acknowledged and comes again", async () => {
    const { proxy, observer } = await startAll();
    let calls = 0;
    const device = createMqttDevice(proxy.port, {
      clientId: "cf-other",
      onMessage() {
        calls += 1;
        device.look();
        if (calls === 1) throw new Error("store is full");
      },
    });
    cleanups.push(() => device.powerOff());
    device.client.connect();
    await device.until(() => device.sessions.length === 1);
    await observer.publishAsync(DOWN, "x", { qos: 2 });
    await device.until(() => calls === 2);
    expect(device.reasons).toEqual(["failed"]);
  });
});

describe("client, a message too long for it at the broker", () => {
  it.each([0, 1, 2] as const)(
    "of QoS %i: acknowledges it, passes it over and takes the next",
    async (qos) => {
      const { device, observer, broker } = await startAll();
      for (const size of [1400, 5000, 200_000]) {
        await observer.publishAsync(DOWN, Buffer.alloc(size, "x"), { qos });
        await observer.publishAsync(DOWN, `after ${size}`, { qos });
        await device.until(() => device.messages.includes(`after ${size}`));
      }
      expect(device.messages).toEqual(["after 1400", "after 5000", "after 200000"]);
      expect(device.reasons).toEqual([]);
      // Nothing of it is left in the session: the next connection is as quiet.
      await broker.restart();
      await device.until(() => device.sessions.length === 2);
      await observer.publishAsync(DOWN, "later", { qos: 2 });
      await device.until(() => device.messages.includes("later"));
      // Of QoS 1 one may come again: its PUBACK was still under way when the broker ended.
      const messages = qos === 1 ? [...new Set(device.messages)] : device.messages;
      expect(messages).toHaveLength(4);
    },
  );
});
