import { beforeEach, describe, expect, it } from "vitest";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import type { MqttClient, MqttOptions } from "../../../firmware/mqtt/options.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { HandNet, HandSocket } from "../../support/hand-net.ts";
import { acceptLatest, CONNACK, CONNACK_PRESENT, createHandNet } from "../../support/hand-net.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { eventOf } from "../../support/mqtt-device.ts";

const DAY = 86_400;
const LOOKS = 10;

describe("client, its time in hand", () => {
  let clock: ManualClock;
  let net: HandNet;
  /** When each connect call was made, in seconds since boot. */
  let attempts: number[];
  let connectFails: boolean;
  let connectTakes: number;
  let jitter: string;
  let events: unknown[];
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
      onMessage: (_topic, payload) => events.push(payload),
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
    net.onConnect = () => {
      attempts.push(clock.uptime());
      if (connectTakes > 0) clock.advance(connectTakes);
      if (connectFails) throw new Error("Unable to create socket");
    };
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
    clock = createManualClock();
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
    accept();
    clock.advance(20);
    net.latest().emit("close", false);
    clock.advance(31);
    expect(attempts).toHaveLength(before);
    clock.advance(1);
    expect(attempts).toHaveLength(before + 1);
    accept();
    for (let i = 0; i < 6; i++) {
      clock.advance(10);
      net.latest().emit("drain");
      net.latest().emit("data", "\xd0\x00");
    }
    net.latest().emit("close", false);
    clock.advance(1);
    expect(attempts).toHaveLength(before + 2);
  });

  it("no CONNACK, or none after connecting: given up after 45 s, the late socket closed", () => {
    client.connect();
    clock.advance(45);
    expect(events).toEqual(["timeout"]);
    expect(net.latest().ended).toBe(true);
    expect(() => net.latest().connected()).not.toThrow();
    expect(net.latest().written).toEqual([]);
  });

  it("no SUBACK: given up as well", () => {
    client.connect();
    net.latest().connected();
    net.latest().emit("drain");
    net.latest().emit("data", CONNACK);
    clock.advance(45);
    expect(events).toEqual(["timeout"]);
  });

  it("no PUBACK in a minute though pings are answered: closed and sent again with DUP", () => {
    let done = 0;
    const first = online();
    expect(client.publish("t", "x" as Bytes, 1, () => done++)).toBe(true);
    for (let i = 0; i < 10 && !first.ended; i++) {
      clock.advance(10);
      first.emit("drain");
      first.emit("data", "\xd0\x00");
    }
    expect(events).toEqual([false, "unacknowledged"]);
    clock.advance(1);
    accept(CONNACK_PRESENT).emit("drain");
    const original = first.written.find((packet) => packet.charCodeAt(0) === 0x32) as string;
    expect(net.latest().written[2]).toBe(`\x3a${original.slice(1)}`);
    expect(done).toBe(0);
    net.latest().emit("data", `\x40\x02${original.slice(5, 7)}`);
    expect(done).toBe(1);
  });

  /** Looks so seldom, ten times a day, that a day has few of them. */
  const patient = () => create({ keepAlive: (DAY / LOOKS) * 2.5 });

  /** Its broker answers all that it says between these looks, on this connection. */
  function passLooks(socket: HandSocket, count: number): void {
    for (let look = 0; look < count; look++) {
      clock.advance(DAY / LOOKS);
      socket.emit("drain");
      socket.emit("data", "\xd0\x00");
    }
  }

  it("a day online: the connection is ended, and one anew subscribes within a second", () => {
    client = patient();
    const first = online();
    passLooks(first, LOOKS - 1);
    expect([events, attempts]).toEqual([[false], [0]]);
    clock.advance(DAY / LOOKS);
    expect(events).toEqual([false, "renewed"]);
    expect(attempts).toHaveLength(1);
    clock.advance(1);
    expect(attempts).toHaveLength(2);
    const next = accept(CONNACK_PRESENT);
    next.emit("drain");
    expect(next.written[1]).toBe(first.written[1]);
    expect(events.at(-1)).toBe(true);
  });

  it("a day online, and something unanswered: the connection goes on until that is settled", () => {
    client = patient();
    const first = online();
    client.turn.unheard = 1;
    passLooks(first, 3 * LOOKS);
    expect(events).toEqual([false]);
    client.turn.unheard = 0;
    passLooks(first, 1);
    expect(events).toEqual([false, "renewed"]);
  });
});
