/** A broker whose session of the device ends each connection: the device asks it to forget that. */
import { once } from "node:events";
import { connect } from "node:net";
import { connectAsync } from "mqtt";
import { generate } from "mqtt-packet";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import { STABLE_S, UNSTABLE_BEFORE_CLEAN } from "../../../firmware/mqtt/limits.ts";
import type { MqttClient } from "../../../firmware/mqtt/options.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { BROKERS } from "../../support/brokers.ts";
import type { HandNet, HandSocket } from "../../support/hand-net.ts";
import { acceptLatest, CONNACK, CONNACK_PRESENT, createHandNet } from "../../support/hand-net.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { createMqttDevice, DOWN } from "../../support/mqtt-device.ts";
import { fromOracle, oracle } from "../../support/mqtt-oracle.ts";

describe("client whose connections do not last", () => {
  let clock: ManualClock;
  let net: HandNet;
  let log: string[];
  let messages: string[];
  let client: MqttClient;

  function create(hosts: string): void {
    client = createMqttClient({
      net,
      clock,
      random: () => "\xff\xff" as Bytes,
      log: (line) => log.push(line),
      brokers: [...hosts].map((host) => ({ host, port: 1883 })),
      clientId: "c",
      keepAlive: 60,
      subscriptions: [{ topicFilter: "t", qos: 2 }],
      onMessage: (_topic, payload) => messages.push(payload),
      onReady: () => {},
      onConnection: () => {},
    });
    client.connect();
  }

  beforeEach(() => {
    clock = createManualClock();
    net = createHandNet();
    log = [];
    messages = [];
  });

  const isClean = (socket: HandSocket) => oracle(socket.written[0] as string).clean as boolean;
  /** The latest connection opens; whether it asks for a clean session. */
  function opens(): boolean {
    net.latest().connected();
    return isClean(net.latest());
  }
  function nextAttempt(): void {
    const before = net.addresses.length;
    while (net.addresses.length === before) clock.advance(1);
  }
  function ends(): void {
    net.latest().emit("close", false);
    nextAttempt();
  }

  it("asks for a clean session after six, and again after five more", () => {
    create("a");
    const asked = Array.from({ length: 13 }, () => {
      const clean = opens();
      ends();
      return clean;
    });
    expect(asked.flatMap((clean, at) => (clean ? [at] : []))).toEqual([UNSTABLE_BEFORE_CLEAN, 12]);
  });

  it.each(["ab", "abc", "abcd"])(
    "asks each of the brokers %s, at once after it failed",
    (hosts) => {
      create(hosts);
      const asked = new Set<string>();
      for (let i = 0; i < (UNSTABLE_BEFORE_CLEAN + 1) * hosts.length; i++) {
        const before = net.addresses.at(-2)?.host;
        if (opens()) {
          asked.add(before as string);
          expect(net.addresses.at(-1)?.host).toBe(before);
        }
        ends();
      }
      expect([...asked].sort().join("")).toBe(hosts);
    },
  );

  it("does not count attempts that never opened, and asks once before it counts anew", () => {
    create("ab");
    for (let i = 0; i < 3 * UNSTABLE_BEFORE_CLEAN; i++) ends();
    for (let i = 0; i < UNSTABLE_BEFORE_CLEAN; i++) {
      expect(opens()).toBe(false);
      ends();
    }
    // The clean one does not open: the other broker has its turn, and its session.
    ends();
    expect(opens()).toBe(false);
    const [last, clean, other] = net.addresses.slice(-3).map(({ host }) => host);
    expect([clean === last, other === last]).toEqual([true, false]);
  });

  it("counts from the start after a connection that lasted", () => {
    create("a");
    for (let i = 0; i < UNSTABLE_BEFORE_CLEAN - 1; i++) {
      opens();
      ends();
    }
    const socket = acceptLatest(net, CONNACK_PRESENT);
    for (let second = 0; second < STABLE_S; second += 10) {
      clock.advance(10);
      socket.emit("drain");
      socket.emit("data", fromOracle({ cmd: "pingresp" }));
    }
    for (let i = 0; i <= UNSTABLE_BEFORE_CLEAN; i++) {
      ends();
      expect(opens()).toBe(i === UNSTABLE_BEFORE_CLEAN);
    }
  });

  it.each([CONNACK, CONNACK_PRESENT])(
    "then ends that connection, and begins with nothing of the old session (%j)",
    (connack) => {
      create("a");
      const first = acceptLatest(net, CONNACK);
      let done = 0;
      for (const payload of ["x", "y"]) {
        client.publish("t", payload as Bytes, 2, () => done++);
        first.emit("drain");
      }
      const ids = first.written.slice(2).map((packet) => oracle(packet).messageId as number);
      first.emit("data", fromOracle({ cmd: "pubrec", messageId: ids[0] as number }));
      const inbound = fromOracle({
        cmd: "publish",
        topic: "t",
        payload: "in",
        qos: 2,
        messageId: 9,
      });
      first.emit("data", inbound);
      first.emit("drain");
      for (let i = 1; i <= UNSTABLE_BEFORE_CLEAN; i++) {
        ends();
        opens();
      }
      const clean = net.latest();
      expect(isClean(clean)).toBe(true);
      clean.emit("drain");
      // That there is a session would be against MQTT-3.2.2-1: it is not believed.
      clean.emit("data", connack);
      expect(clean.ended).toBe(true);
      expect(clean.written).toHaveLength(1);
      expect(log.at(-1)).toMatch(/^mqtt: cleaned; next attempt in \d+ s$/);

      nextAttempt();
      const next = acceptLatest(net, connack);
      expect(isClean(next)).toBe(false);
      for (let i = 0; i < 4; i++) next.emit("drain");
      const sent = next.written.slice(2).map(oracle);
      expect(sent.map(({ cmd, messageId }) => `${cmd} ${messageId}`)).toEqual(
        ids.map((id) => `publish ${id}`),
      );
      // Another message may come under an id of the old session.
      next.emit("data", inbound);
      expect(messages).toEqual(["in", "in"]);
      for (const messageId of ids) {
        next.emit("data", fromOracle({ cmd: "pubrec", messageId }));
        next.emit("data", fromOracle({ cmd: "pubcomp", messageId }));
      }
      expect(done).toBe(2);
    },
  );
});

/** Subscribes as the device, to one good filter and one that no broker may take. */
async function poison(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  const clientId = "cf-0123456789abcdef";
  socket.write(generate({ cmd: "connect", clientId, clean: false, keepalive: 60 }));
  const subscriptions = [DOWN, "#/0123456789abcdef/receipt"].map((topic) => ({
    topic,
    qos: 1 as const,
  }));
  socket.write(generate({ cmd: "subscribe", messageId: 1, subscriptions }));
  await once(socket, "close");
}

it.each(BROKERS)(
  "comes back where a filter was kept that ends each resumption: %s",
  async (name, start) => {
    const broker = await start();
    onTestFinished(() => broker.close());
    await poison(broker.port);
    const observer = await connectAsync(broker.url, { protocolVersion: 4 });
    onTestFinished(() => observer.endAsync(true));
    const device = createMqttDevice(broker.port);
    onTestFinished(() => device.powerOff());
    device.client.connect();
    await device.until(() => device.sessions.length === 1);
    // Mosquitto keeps nothing of such a packet.
    const ended = Array.from({ length: UNSTABLE_BEFORE_CLEAN }, () => "closed");
    expect(device.reasons).toEqual(name === "aedes" ? [...ended, "cleaned"] : []);
    await observer.publishAsync(DOWN, "x", { qos: 2 });
    await device.until(() => device.messages.length === 1);
  },
);
