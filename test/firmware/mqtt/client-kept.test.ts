/** QoS 2 messages whose packet id and phase are stored before the packet that depends on them. */
import { beforeEach, describe, expect, it } from "vitest";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import { AWAIT_PUBCOMP, AWAIT_PUBREC, NONE } from "../../../firmware/mqtt/inflight.ts";
import type { Kept, MqttClient } from "../../../firmware/mqtt/options.ts";
import { FIRST_KEPT_ID } from "../../../firmware/mqtt/session-state.ts";
import { type Bytes, fromBigEndian } from "../../../protocol/bytes.ts";
import {
  acceptLatest,
  CONNACK,
  CONNACK_PRESENT,
  createHandNet,
  type HandNet,
  type HandSocket,
} from "../../support/hand-net.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";

const packetId = 40_000;
const id = (packetId: number) => String.fromCharCode(packetId >> 8, packetId & 255);
const publish = (packetId: number, dup: boolean) =>
  `${String.fromCharCode(dup ? 0x3c : 0x34, 6, 0, 1, 0x74) + id(packetId)}x`;
const pubrec = (packetId: number) => `\x50\x02${id(packetId)}`;
const pubrel = (packetId: number) => `\x62\x02${id(packetId)}`;
const pubcomp = (packetId: number) => `\x70\x02${id(packetId)}`;

describe("a kept message", () => {
  let clock: ManualClock;
  let net: HandNet;
  let client: MqttClient;
  /** What was stored and written, in order. */
  let trace: string[];
  let done: number;
  let failing: boolean;
  let jitter = "\xff\xff";

  const kept = (packetId: number, phase = NONE): Kept => ({
    packetId,
    phase,
    keep(newPhase) {
      if (failing) throw new Error("store");
      trace.push(`kept ${packetId} ${newPhase}`);
    },
  });
  const send = (state: Kept) =>
    client.publish(
      "t",
      "x" as Bytes,
      2,
      () => {
        done++;
      },
      state,
    );

  /** A socket whose writes join the trace. */
  function accept(connack: string): HandSocket {
    const socket = acceptLatest(net, connack);
    const push = socket.written.push.bind(socket.written);
    for (const packet of socket.written.splice(2)) trace.push(packet);
    socket.written.push = (...packets) => {
      trace.push(...packets);
      return push(...packets);
    };
    return socket;
  }

  function start(): void {
    clock = createManualClock();
    net = createHandNet();
    trace = [];
    done = 0;
    failing = false;
    client = createMqttClient({
      net,
      clock,
      random: (length) => jitter.slice(0, length) as Bytes,
      log: () => {},
      brokers: [{ host: "h", port: 1 }],
      clientId: "c",
      keepAlive: 60,
      subscriptions: [{ topicFilter: "t", qos: 1 }],
      onMessage: () => {},
      onReady: () => {},
      onConnection: () => {},
    });
  }

  beforeEach(start);

  it("is stored before PUBLISH, and again before PUBREL", () => {
    client.connect();
    const socket = accept(CONNACK);
    socket.emit("drain");
    expect(send(kept(packetId))).toBe(true);
    expect(trace).toEqual([`kept ${packetId} ${AWAIT_PUBREC}`, publish(packetId, false)]);
    socket.emit("drain");
    trace.length = 0;
    socket.emit("data", pubrec(packetId));
    expect(trace).toEqual([`kept ${packetId} ${AWAIT_PUBCOMP}`, pubrel(packetId)]);
    socket.emit("drain");
    // A PUBREC again, whose PUBREL was lost, changes nothing that would have to be stored.
    trace.length = 0;
    socket.emit("data", pubrec(packetId));
    expect(trace).toEqual([pubrel(packetId)]);
    socket.emit("drain");
    socket.emit("data", pubcomp(packetId));
    expect(done).toBe(1);
  });

  it("goes out anew only once the broker has ended what it had under its packet id", () => {
    client.connect();
    const socket = accept(CONNACK);
    socket.emit("drain");
    send(kept(packetId));
    socket.emit("drain");
    expect(send(kept(packetId))).toBe(false);
    socket.emit("data", pubrec(packetId));
    socket.emit("drain");
    expect(send(kept(packetId))).toBe(false);
    socket.emit("data", pubcomp(packetId));
    trace.length = 0;
    expect(send(kept(packetId))).toBe(true);
    expect(trace).toEqual([`kept ${packetId} ${AWAIT_PUBREC}`, publish(packetId, false)]);
  });

  it("does not go out when it cannot be stored", () => {
    client.connect();
    accept(CONNACK).emit("drain");
    failing = true;
    expect(() => send(kept(packetId))).toThrow("store");
    expect(trace).toEqual([]);
    failing = false;
    expect(send(kept(packetId))).toBe(true);
    expect(trace).toHaveLength(2);
  });

  it("sends no PUBREL that is not stored: the connection ends, and the next goes on", () => {
    client.connect();
    const socket = accept(CONNACK);
    socket.emit("drain");
    send(kept(packetId));
    socket.emit("drain");
    trace.length = 0;
    failing = true;
    socket.emit("data", pubrec(packetId));
    expect([trace, socket.ended]).toEqual([[], true]);
    failing = false;
    clock.advance(120);
    const next = accept(CONNACK_PRESENT);
    next.emit("drain");
    expect(trace).toEqual([publish(packetId, true)]);
  });

  it.each([
    ["with the PUBLISH as a repetition", AWAIT_PUBREC, CONNACK_PRESENT, publish(40_700, true)],
    ["with the PUBREL", AWAIT_PUBCOMP, CONNACK_PRESENT, pubrel(40_700)],
    ["from the start where the broker forgot", AWAIT_PUBCOMP, CONNACK, publish(40_700, false)],
  ])("goes on after a power cut %s", (_name, phase, connack, expected) => {
    expect(send(kept(40_700, phase))).toBe(true);
    client.connect();
    accept(connack).emit("drain");
    expect(trace).toEqual([expected]);
  });

  it.each(["\x7f\xfd", "\x80\x00", "\xff\xfd"])(
    "shares its packet id with none that starts at %j",
    (first) => {
      jitter = first;
      start();
      client.connect();
      const socket = accept(CONNACK);
      for (let sent = 0; sent < 8; sent++) {
        socket.emit("drain");
        expect(client.publish("t", "x" as Bytes, 1, () => {})).toBe(true);
        const packetId = fromBigEndian((trace[sent] as string).slice(5, 7) as Bytes);
        expect(packetId).toBeGreaterThan(1);
        expect(packetId).toBeLessThan(FIRST_KEPT_ID);
        socket.emit("drain");
        socket.emit("data", `\x40\x02${id(packetId)}`);
      }
    },
  );
});
