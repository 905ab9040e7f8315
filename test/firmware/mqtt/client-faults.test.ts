import { beforeEach, describe, expect, it } from "vitest";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import { MAX_REPLIES } from "../../../firmware/mqtt/limits.ts";
import type { MqttClient, MqttOptions } from "../../../firmware/mqtt/options.ts";
import { MAX_INBOUND, MAX_INFLIGHT } from "../../../firmware/mqtt/session-state.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { HandNet, HandSocket } from "../../support/hand-net.ts";
import {
  acceptLatest,
  CONNACK,
  CONNACK_PRESENT,
  createHandNet,
  SUBACK,
} from "../../support/hand-net.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { eventOf } from "../../support/mqtt-device.ts";

const publish = (packetId: number, qos: number) =>
  String.fromCharCode(0x30 | (qos << 1), 6, 0, 1, 0x74, packetId >> 8, packetId & 255, 0x78);

describe("client, its socket in hand", () => {
  let clock: ManualClock;
  let net: HandNet;
  let jitter: string;
  let events: unknown[];
  let onMessage: (payload: string) => void;
  let client: MqttClient;

  function create(options: Partial<MqttOptions> = {}): MqttClient {
    return createMqttClient({
      net,
      clock,
      random: (length) => jitter.slice(0, length) as Bytes,
      log: (line) => events.push(eventOf(line)),
      brokers: [{ host: "h", port: 1 }],
      clientId: "c",
      keepAlive: 60,
      subscriptions: [{ topicFilter: "t", qos: 1 }],
      onMessage: (_topic, payload) => onMessage(payload),
      onReady: () => {},
      onConnection: () => {},
      ...options,
    });
  }

  const accept = (connack = CONNACK): HandSocket => acceptLatest(net, connack);

  function online(connack = CONNACK): HandSocket {
    client.connect();
    return accept(connack);
  }

  beforeEach(() => {
    clock = createManualClock();
    net = createHandNet();
    jitter = "\xff\xff";
    events = [];
    onMessage = (payload) => events.push(payload);
    client = create();
  });

  it("writes nothing more until the socket has drained", () => {
    const socket = online();
    expect(client.publish("t", "a" as Bytes, 1, () => {})).toBe(true);
    for (const qos of [0, 1, 2] as const)
      expect(client.publish("t", "b" as Bytes, qos, () => {})).toBe(false);
    socket.emit("data", publish(1, 2) + publish(2, 1));
    expect(socket.written).toHaveLength(3);
    socket.emit("drain");
    // Both replies in one write, before anything new.
    expect(socket.written[3]).toBe("\x50\x02\x00\x01\x40\x02\x00\x02");
    expect(client.publish("t", "b" as Bytes, 0, () => {})).toBe(false);
    socket.emit("drain");
    expect(client.publish("t", "b" as Bytes, 0, () => {})).toBe(true);
  });

  it("resends before anything new, though the application speaks first", () => {
    const first = online();
    for (const payload of ["a", "b"]) {
      client.publish("t", payload as Bytes, 1, () => {});
      first.emit("drain");
    }
    let taken: boolean | undefined;
    onMessage = () => {
      taken = client.publish("t", "c" as Bytes, 1, () => {});
    };
    first.emit("close", false);
    clock.advance(1);
    const socket = net.latest();
    socket.connected();
    socket.emit("drain");
    socket.emit("data", CONNACK_PRESENT);
    socket.emit("drain");
    socket.emit("data", SUBACK + publish(0, 0));
    expect(taken).toBe(false);
    socket.emit("drain");
    socket.emit("drain");
    const sent = socket.written.slice(2).map((packet) => packet.slice(-1));
    expect(sent).toEqual(["a", "b"]);
  });

  it("bounds messages in flight; QoS 0 passes, and is done once written", () => {
    const socket = online();
    for (let i = 0; i < MAX_INFLIGHT; i++) {
      expect(client.publish("t", "a" as Bytes, 2, () => {})).toBe(true);
      socket.emit("drain");
    }
    expect(client.publish("t", "a" as Bytes, 2, () => {})).toBe(false);
    let done = 0;
    expect(client.publish("t", "zero" as Bytes, 0, () => done++)).toBe(true);
    expect(done).toBe(1);
    expect(socket.written[socket.written.length - 1]).toBe("\x30\x07\x00\x01tzero");
  });

  it("never uses a packet id twice at once, over the wrap too", () => {
    jitter = "\x7f\xfd";
    client = create();
    const socket = online();
    for (let i = 0; i < MAX_INFLIGHT; i++) {
      client.publish("t", "" as Bytes, 1, () => {});
      socket.emit("drain");
    }
    const ids = () => socket.written.slice(2).map((packet) => packet.slice(5, 7));
    // 1 is SUBSCRIBE's, and from FIRST_KEPT_ID on they are those of kept messages.
    expect(ids()).toEqual(["\x7f\xfe", "\x7f\xff", "\x00\x02", "\x00\x03"]);
    // 32,763 messages later the id of the first, unacknowledged one comes round.
    for (let i = 0; i < 32763; i++) {
      const last = socket.written[socket.written.length - 1] as string;
      socket.emit("data", `\x40\x02${last.slice(5, 7)}`);
      client.publish("t", "" as Bytes, 1, () => {});
      socket.emit("drain");
    }
    const last = ids().slice(-1)[0];
    expect(last).toBe("\x00\x03");
  });

  it("a broker that does not read its replies is cut off at the bound", () => {
    const socket = online();
    client.publish("t", "a" as Bytes, 0, () => {});
    expect(MAX_REPLIES).toBe(2 * 4 * MAX_INBOUND);
    for (let id = 1; id <= MAX_REPLIES / 4; id++) socket.emit("data", publish(id, 1));
    expect(socket.ended).toBe(false);
    socket.emit("data", publish(999, 1));
    expect(events).toContain("overflow");
    expect(socket.ended).toBe(true);
  });

  it("more QoS 2 messages without PUBREL than the bound: an error, and all are forgotten", () => {
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
    expect(events).toContain("failed");
    clock.advance(1);
    // Kept, they would end this connection too, and all that follow.
    accept(CONNACK_PRESENT).emit("data", publish(MAX_INBOUND + 1, 2));
    expect(events.filter((event) => event === "x")).toHaveLength(MAX_INBOUND + 1);
  });

  it("takes a QoS 1 message under the id of a QoS 2 one: the broker has given that one up", () => {
    const socket = online();
    socket.emit("data", publish(7, 2));
    socket.emit("data", publish(7, 1));
    socket.emit("drain");
    expect(socket.ended).toBe(false);
    expect(socket.written.at(-1)).toContain("\x40\x02\x00\x07");
    socket.emit("data", publish(7, 2));
    expect(events.filter((event) => event === "x")).toHaveLength(3);
  });

  it("forgets inbound packet ids when the broker has forgotten them, not before", () => {
    client.connect();
    for (const connack of [CONNACK, CONNACK_PRESENT, CONNACK]) {
      const socket = accept(connack);
      socket.emit("data", publish(1, 2));
      socket.emit("close", false);
      clock.advance(4);
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
    let done = 0;
    const socket = online();
    socket.ended = true;
    expect(client.publish("t", "a" as Bytes, 2, () => done++)).toBe(true);
    expect(events).toEqual([false, "closed"]);
    clock.advance(1);
    accept().emit("drain");
    expect(net.latest().written[2]?.charCodeAt(0)).toBe(0x34);
    expect(done).toBe(0);
  });

  it("a callback that throws costs the connection, not the device; its message is done", () => {
    const socket = online();
    client.publish("t", "a" as Bytes, 1, () => {
      throw new Error("mine");
    });
    const id = (socket.written[2] as string).slice(5, 7);
    expect(() => socket.emit("data", `\x40\x02${id}`)).not.toThrow();
    expect(events).toEqual([false, "failed"]);
    clock.advance(1);
    accept(CONNACK_PRESENT).emit("drain");
    expect(net.latest().written).toHaveLength(2);
    expect(client.publish("t", "b" as Bytes, 0, () => {})).toBe(true);
  });

  it("an application that throws when it may publish costs the connection as well", () => {
    client = create({
      onReady() {
        throw new Error("mine");
      },
    });
    expect(() => online()).not.toThrow();
    expect(events).toEqual([false, "failed"]);
    expect(clock.pending()).toBe(1);
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
});
