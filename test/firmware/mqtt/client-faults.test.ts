import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import { MAX_REPLIES } from "../../../firmware/mqtt/connection.ts";
import type { MqttClient, MqttOptions, Outcome } from "../../../firmware/mqtt/options.ts";
import { MAX_INBOUND, MAX_INFLIGHT } from "../../../firmware/mqtt/session-state.ts";
import type { Net, Socket } from "../../../firmware/ports.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { createMqttDevice } from "../../support/mqtt-device.ts";

const CONNACK = "\x20\x02\x00\x00";
const CONNACK_PRESENT = "\x20\x02\x01\x00";
const publish = (packetId: number, qos: number) =>
  String.fromCharCode(0x30 | (qos << 1), 6, 0, 1, 0x74, packetId >> 8, packetId & 255, 0x78);

/** A socket in the test's hand: what node:net cannot be made to do (throw, never drain, come late). */
interface HandSocket {
  written: string[];
  ended: boolean;
  connected(): void;
  emit(event: "data" | "drain" | "close", argument?: unknown): void;
}

describe("client, its socket in hand", () => {
  let clock: ManualClock;
  let sockets: HandSocket[];
  /** When each connect call was made, in seconds since boot. */
  let attempts: number[];
  let connectFails: boolean;
  let connectTakes: number;
  let jitter: string;
  let events: unknown[];
  let client: MqttClient;

  const net: Net = {
    connect(_options, connected) {
      attempts.push(clock.uptime());
      if (connectTakes > 0) clock.advance(connectTakes);
      if (connectFails) throw new Error("Unable to create socket");
      const listeners: Record<string, (argument: unknown) => void> = {};
      const hand: HandSocket = {
        written: [],
        ended: false,
        connected: () => connected(socket),
        emit: (event, argument) => listeners[event]?.(argument),
      };
      const socket: Socket = {
        write(data) {
          if (hand.ended) throw new Error("This socket is closed");
          hand.written.push(data);
          return false;
        },
        end() {
          hand.ended = true;
        },
        on(event: string, listener: (argument: never) => void) {
          listeners[event] = listener as (argument: unknown) => void;
        },
      };
      sockets.push(hand);
      return socket;
    },
  };

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

  function latest(): HandSocket {
    return sockets[sockets.length - 1] as HandSocket;
  }

  function online(connack = CONNACK): HandSocket {
    client.connect();
    const socket = latest();
    socket.connected();
    socket.emit("drain");
    socket.emit("data", connack);
    return socket;
  }

  beforeEach(() => {
    clock = createManualClock();
    sockets = [];
    attempts = [];
    connectFails = false;
    connectTakes = 0;
    jitter = "\xff\xff";
    events = [];
    client = create();
  });

  it("a connect call that throws: exponential back-off up to two minutes, for ever", () => {
    connectFails = true;
    client.connect();
    clock.advance(1000);
    const gaps = attempts.slice(1).map((at, i) => Math.round(at - (attempts[i] as number)));
    expect(gaps.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 120]);
    expect(new Set(events)).toEqual(new Set(["connect"]));
  });

  it("full jitter: half the randomness, half the pause; none when the source fails", () => {
    connectFails = true;
    jitter = "\x80\x00";
    client.connect();
    clock.advance(3.6);
    expect(attempts).toEqual([0, 0.5, 1.5, 3.5]);
    let drawn = 0;
    attempts = [];
    client.close();
    client = create({
      random: () => {
        drawn += 1;
        if (drawn > 1) throw new Error("random");
        return "\0\0" as Bytes;
      },
    });
    client.connect();
    clock.advance(3.1);
    expect(attempts.map((at) => Math.round(at - (attempts[0] as number)))).toEqual([0, 1, 3]);
  });

  it("a connect call that blocked is not made again for two minutes", () => {
    connectFails = true;
    connectTakes = 20;
    jitter = "\0\0";
    client.connect();
    connectTakes = 0;
    clock.advance(119);
    expect(attempts).toEqual([0]);
    jitter = "\xff\xff";
    clock.advance(1.5);
    expect(attempts).toEqual([0, 140]);
  });

  it("starts back-off over after a minute online, not before", () => {
    connectFails = true;
    client.connect();
    clock.advance(16);
    connectFails = false;
    clock.advance(16);
    const before = attempts.length;
    latest().connected();
    latest().emit("data", CONNACK);
    clock.advance(20);
    latest().emit("close", false);
    clock.advance(31);
    expect(attempts).toHaveLength(before);
    clock.advance(1);
    expect(attempts).toHaveLength(before + 1);
    latest().connected();
    latest().emit("drain");
    latest().emit("data", CONNACK);
    for (let i = 0; i < 6; i++) {
      clock.advance(10);
      latest().emit("drain");
      latest().emit("data", "\xd0\x00");
    }
    latest().emit("close", false);
    clock.advance(1);
    expect(attempts).toHaveLength(before + 2);
  });

  it("no CONNACK, or none after connecting: given up after 45 s, the late socket closed", () => {
    client.connect();
    clock.advance(45);
    expect(events).toEqual(["timeout"]);
    expect(latest().ended).toBe(true);
    expect(() => latest().connected()).not.toThrow();
    expect(latest().written).toEqual([]);
  });

  it("no SUBACK: given up as well", () => {
    client.subscribe("t", 2);
    online();
    clock.advance(45);
    expect(events).toEqual(["timeout"]);
  });

  it("no PUBACK in a minute though pings are answered: closed and sent again with DUP", () => {
    const outcomes: Outcome[] = [];
    const first = online();
    expect(client.publish("t", "x" as Bytes, 1, (outcome) => outcomes.push(outcome))).toBe(true);
    for (let i = 0; i < 10 && !first.ended; i++) {
      clock.advance(10);
      first.emit("drain");
      first.emit("data", "\xd0\x00");
    }
    expect(events).toEqual([false, "unacknowledged"]);
    clock.advance(1);
    latest().connected();
    latest().emit("drain");
    latest().emit("data", CONNACK_PRESENT);
    const original = first.written.find((packet) => packet.charCodeAt(0) === 0x32) as string;
    expect(latest().written[1]).toBe(`\x3a${original.slice(1)}`);
    latest().emit("data", `\x40\x02${original.slice(5, 7)}`);
    expect(outcomes).toEqual(["puback"]);
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
    latest().connected();
    latest().emit("drain");
    latest().emit("data", CONNACK_PRESENT + publish(1, 2));
    expect(events.filter((event) => event === "x")).toHaveLength(MAX_INBOUND);
  });

  it("ignores what an old socket still says", () => {
    const old = online();
    old.emit("close", false);
    clock.advance(1);
    const socket = latest();
    old.emit("data", CONNACK);
    old.emit("drain");
    old.emit("close", true);
    old.connected();
    expect(events).toEqual([false, "closed"]);
    expect(socket.written).toEqual([]);
    expect(attempts).toHaveLength(2);
  });

  it("a write that throws is an end of the connection; the message stays", () => {
    const outcomes: Outcome[] = [];
    const socket = online();
    socket.ended = true;
    expect(client.publish("t", "a" as Bytes, 2, (outcome) => outcomes.push(outcome))).toBe(true);
    expect(events).toEqual([false, "closed"]);
    clock.advance(1);
    latest().connected();
    latest().emit("drain");
    latest().emit("data", CONNACK);
    expect(latest().written[1]?.charCodeAt(0)).toBe(0x34);
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
    expect(latest().written[1]?.charCodeAt(0)).toBe(0x3a);
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

describe("client against a hostile server", () => {
  let server: ReturnType<typeof createServer>;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const scripts: [string, string, string][] = [
    ["garbage", "protocol", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["a 256 MiB packet", "protocol", `${CONNACK}\x30\xff\xff\xff\x7f`],
    ["a message above the bound", "protocol", `${CONNACK}\x30\xd0\x0f`],
    ["a message before connack", "protocol", publish(1, 2)],
    ["two connacks", "protocol", CONNACK + CONNACK],
    ["packet id 0", "protocol", CONNACK + publish(0, 1)],
    ["a suback for nothing", "protocol", `${CONNACK}\x90\x03\x00\x01\x00`],
    ["a subscribe of its own", "protocol", `${CONNACK}\x82\x06\x00\x01\x00\x01t\x00`],
    [
      "a QoS 1 message under the id of a QoS 2 one",
      "protocol",
      CONNACK + publish(7, 2) + publish(7, 1),
    ],
    ["a refusal of code 1", "refused-version", "\x20\x02\x00\x01"],
    ["a close at once", "closed", ""],
  ];
  it.each(scripts)("%s costs the connection and no more", async (_name, reason, script) => {
    let connections = 0;
    server = createServer((socket) => {
      connections += 1;
      socket.on("error", () => {}).resume();
      if (script === "") socket.destroy();
      // The second time it behaves.
      else socket.write(connections === 1 ? script : CONNACK, "latin1");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const device = createMqttDevice((server.address() as AddressInfo).port);
    device.client.connect();
    await device.until(() => device.reasons.length > 0);
    expect(device.reasons[0]).toBe(reason);
    const before = device.sessions.length;
    if (script !== "") await device.until(() => device.sessions.length > before);
    device.client.close();
  });
});
