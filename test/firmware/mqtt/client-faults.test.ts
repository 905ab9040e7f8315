import { beforeEach, describe, expect, it } from "vitest";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import { MAX_REPLIES } from "../../../firmware/mqtt/connection.ts";
import type { MqttClient, MqttOptions, Outcome } from "../../../firmware/mqtt/options.ts";
import { MAX_INBOUND, MAX_INFLIGHT } from "../../../firmware/mqtt/session-state.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { HandNet, HandSocket } from "../../support/hand-net.ts";
import { createHandNet } from "../../support/hand-net.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { createManualClock } from "../../support/manual-clock.ts";

const CONNACK = "\x20\x02\x00\x00";
const CONNACK_PRESENT = "\x20\x02\x01\x00";
const publish = (packetId: number, qos: number) =>
  String.fromCharCode(0x30 | (qos << 1), 6, 0, 1, 0x74, packetId >> 8, packetId & 255, 0x78);

describe("client, its socket in hand", () => {
  let clock: ManualClock;
  let net: HandNet;
  let jitter: string;
  let events: unknown[];
  let client: MqttClient;

  function create(options: Partial<MqttOptions> = {}): MqttClient {
    return createMqttClient({
      net,
      clock,
      random: (length) => jitter.slice(0, length) as Bytes,
      log: () => {},
      host: "h",
      port: 1,
      clientId: "c",
      keepAlive: 60,
      onConnect: (present) => events.push(present),
      onDisconnect: (reason) => events.push(reason),
      onMessage: (_topic, payload) => events.push(payload),
      onReady: () => {},
      ...options,
    });
  }

  function online(connack = CONNACK): HandSocket {
    client.connect();
    const socket = net.latest();
    socket.connected();
    socket.emit("drain");
    socket.emit("data", connack);
    return socket;
  }

  beforeEach(() => {
    clock = createManualClock();
    net = createHandNet();
    jitter = "\xff\xff";
    events = [];
    client = create();
  });

  it("writes nothing more until the socket has drained", () => {
    const socket = online();
    expect(client.canPublish(0)).toBe(true);
    expect(client.publish("t", "a" as Bytes, 1, () => {})).toBe(true);
    for (const qos of [0, 1, 2] as const)
      expect(client.publish("t", "b" as Bytes, qos, () => {})).toBe(false);
    socket.emit("data", publish(1, 2) + publish(2, 1));
    expect(socket.written).toHaveLength(2);
    socket.emit("drain");
    // Both replies in one write, before anything new.
    expect(socket.written[2]).toBe("\x50\x02\x00\x01\x40\x02\x00\x02");
    expect(client.canPublish(0)).toBe(false);
    socket.emit("drain");
    expect(client.canPublish(0)).toBe(true);
  });

  it("bounds messages in flight; QoS 0 passes, and is lost with its connection", () => {
    const socket = online();
    for (let i = 0; i < MAX_INFLIGHT; i++) {
      expect(client.publish("t", "a" as Bytes, 2, () => {})).toBe(true);
      socket.emit("drain");
    }
    expect(client.publish("t", "a" as Bytes, 2, () => {})).toBe(false);
    const outcomes: Outcome[] = [];
    expect(client.publish("t", "a" as Bytes, 0, (outcome) => outcomes.push(outcome))).toBe(true);
    socket.emit("close", true);
    expect(outcomes).toEqual(["lost"]);
  });

  it("never uses a packet id twice at once, over the wrap too", () => {
    jitter = "\xff\xfd";
    client = create();
    const socket = online();
    for (let i = 0; i < MAX_INFLIGHT; i++) {
      client.publish("t", "" as Bytes, 1, () => {});
      socket.emit("drain");
    }
    const ids = () => socket.written.slice(1).map((packet) => packet.slice(5, 7));
    expect(ids()).toEqual(["\xff\xfe", "\xff\xff", "\x00\x01", "\x00\x02"]);
    // 65,533 messages later the id of the first, unacknowledged one comes round.
    for (let i = 0; i < 65533; i++) {
      const last = socket.written[socket.written.length - 1] as string;
      socket.emit("data", `\x40\x02${last.slice(5, 7)}`);
      client.publish("t", "" as Bytes, 1, () => {});
      socket.emit("drain");
    }
    const last = ids().slice(-1)[0];
    expect(["\xff\xfe", "\xff\xff", "\x00\x01"]).not.toContain(last);
  });

  it("a broker that does not read its replies is cut off at the bound", () => {
    const socket = online();
    client.publish("t", "a" as Bytes, 0, () => {});
    for (let id = 1; id <= MAX_REPLIES / 4; id++) socket.emit("data", publish(id, 1));
    expect(socket.ended).toBe(false);
    socket.emit("data", publish(999, 1));
    expect(events).toContain("overflow");
    expect(socket.ended).toBe(true);
  });

  it("more QoS 2 messages without PUBREL than the bound: an error, the others are kept", () => {
    const socket = online();
    for (let id = 1; id <= MAX_INBOUND; id++) {
      socket.emit("data", publish(id, 2));
      socket.emit("drain");
    }
    // A repetition of a known one is still answered.
    socket.emit("data", publish(1, 2));
    expect(socket.ended).toBe(false);
    expect(events.filter((event) => event === "x")).toHaveLength(MAX_INBOUND);
    socket.emit("data", publish(MAX_INBOUND + 1, 2));
    expect(events).toContain("protocol");
    clock.advance(1);
    net.latest().connected();
    net.latest().emit("drain");
    net.latest().emit("data", CONNACK_PRESENT + publish(1, 2));
    expect(events.filter((event) => event === "x")).toHaveLength(MAX_INBOUND);
  });

  it("forgets inbound packet ids when the broker has forgotten them, not before", () => {
    for (const connack of [CONNACK, CONNACK_PRESENT, CONNACK]) {
      client.close();
      online(connack).emit("data", publish(1, 2));
    }
    expect(events.filter((event) => event === "x")).toHaveLength(2);
  });

  it("ignores what an old socket still says", () => {
    const old = online();
    old.emit("close", false);
    clock.advance(1);
    const socket = net.latest();
    old.emit("data", CONNACK);
    old.emit("drain");
    old.emit("close", true);
    old.connected();
    expect(events).toEqual([false, "closed"]);
    expect(socket.written).toEqual([]);
    expect(net.sockets).toHaveLength(2);
  });

  it("a write that throws is an end of the connection; the message stays", () => {
    const outcomes: Outcome[] = [];
    const socket = online();
    socket.ended = true;
    expect(client.publish("t", "a" as Bytes, 2, (outcome) => outcomes.push(outcome))).toBe(true);
    expect(events).toEqual([false, "closed"]);
    clock.advance(1);
    net.latest().connected();
    net.latest().emit("drain");
    net.latest().emit("data", CONNACK);
    expect(net.latest().written[1]?.charCodeAt(0)).toBe(0x34);
    expect(outcomes).toEqual([]);
  });

  it("close: DISCONNECT, no timers, kept messages go out after the next connect", () => {
    const socket = online();
    client.publish("t", "a" as Bytes, 1, () => {});
    client.close();
    expect(socket.written[2]).toBe("\xe0\x00");
    expect(clock.pending()).toBe(0);
    expect(events).toEqual([false, "requested"]);
    client.close();
    online(CONNACK_PRESENT);
    expect(net.latest().written[1]?.charCodeAt(0)).toBe(0x3a);
  });

  it("a callback that throws harms nobody", () => {
    const socket = online();
    client.publish("t", "a" as Bytes, 0, () => {
      throw new Error("mine");
    });
    socket.emit("drain");
    expect(client.canPublish(0)).toBe(true);
  });

  it("refuses a keepAlive that MQTT cannot carry and a payload above the limit", () => {
    for (const keepAlive of [0, -1, 65536, Number.NaN])
      expect(() => create({ keepAlive })).toThrowError(
        expect.objectContaining({ code: "argument" }),
      );
    online();
    expect(() => client.publish("t", "x".repeat(4097) as Bytes, 0, () => {})).toThrowError(
      expect.objectContaining({ code: "size" }),
    );
  });

  it("bounds subscriptions", () => {
    for (let i = 0; i < 10; i++) client.subscribe(`t${i}`, 1);
    client.subscribe("t1", 2);
    expect(() => client.subscribe("one more", 1)).toThrowError(
      expect.objectContaining({ code: "size" }),
    );
  });
});
