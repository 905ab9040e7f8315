import { type Bytes, fromBigEndian } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import type { Random } from "../ports.ts";
import { AWAIT_PUBACK, AWAIT_PUBCOMP, AWAIT_PUBREC, NONE } from "./inflight.ts";
import { ACKNOWLEDGE_TIMEOUT_S } from "./limits.ts";
import type { Kept } from "./options.ts";
import { encodeAck, encodePublish, PUBREL, type Qos, SUBSCRIBE_ID } from "./packet.ts";

/**
 * The Session state of section 4.1 that outlives a connection: messages in flight
 * both ways, and packet ids. No input or output here.
 */

/** Outbound QoS 1 and 2 messages awaiting acknowledgement: each holds its bytes in memory. */
export const MAX_INFLIGHT = 4;
/** Inbound QoS 2 packet ids between PUBREC and PUBREL; Mosquitto has 20 in flight, EMQX 32. */
export const MAX_INBOUND = 32;

/**
 * Packet ids from here on are those of kept messages, each its own: a broker may hold one from
 * an earlier life of the device, and would take another message under it for a repetition.
 * Below are those of all others, which are QoS 1: once acknowledged, no broker knows them.
 */
export const FIRST_KEPT_ID = 32768;

/** Has not been sent on this connection. */
const UNSENT = -1;

export interface Message {
  packetId: number;
  topic: string;
  payload: Bytes;
  /** As asked for: more than the broker at hand may have. */
  qos: Qos;
  /** A state of the outbound table. */
  state: number;
  /** Sent before in this session: the next PUBLISH is a repetition. */
  dup: boolean;
  /** Uptime of its last packet either way on this connection, or UNSENT. */
  movedAt: number;
  /** Called when the broker has acknowledged it. */
  done: () => void;
  kept: Kept | undefined;
}

export interface SessionState {
  /** In the order of first sending, which is the order of resending (section 4.6). */
  outbound: Message[];
  /** Packet ids in the inbound table's state AWAIT_PUBREL. */
  inbound: number[];
  /** Of messages that are not kept. Starts anywhere: one id is not taken at every boot. */
  lastPacketId: number;
  /** The highest QoS of the broker at hand. */
  maxQos: Qos;
}

/** Nothing in flight. Throws what `random` throws. */
export function createSessionState(random: Random): SessionState {
  return { outbound: [], inbound: [], lastPacketId: fromBigEndian(random(2)), maxQos: 2 };
}

/** State of a message before its first PUBLISH to this broker. */
function firstState(session: SessionState, qos: Qos): number {
  return Math.min(qos, session.maxQos) === 1 ? AWAIT_PUBACK : AWAIT_PUBREC;
}

/** Index in `outbound`, or -1. */
export function findMessage(session: SessionState, packetId: number): number {
  return session.outbound.map((message) => message.packetId).indexOf(packetId);
}

/** Takes a message in, under its own packet id if it is kept, or the next that is not in use. */
export function addMessage(
  session: SessionState,
  topic: string,
  payload: Bytes,
  qos: Qos,
  done: () => void,
  kept: Kept | undefined,
): Message {
  const resumed = kept !== undefined && kept.phase !== NONE;
  let packetId = (session.lastPacketId + 1) % FIRST_KEPT_ID;
  while (packetId <= SUBSCRIBE_ID || findMessage(session, packetId) >= 0)
    packetId = (packetId + 1) % FIRST_KEPT_ID;
  if (kept) packetId = kept.packetId;
  else session.lastPacketId = packetId;
  const message = {
    packetId: packetId,
    topic: topic,
    payload: payload,
    qos: qos,
    state: resumed ? kept.phase : firstState(session, qos),
    dup: resumed,
    movedAt: UNSENT,
    done: done,
    kept: kept,
  };
  if (kept && !resumed) kept.keep(message.state);
  session.outbound.push(message);
  return message;
}

/**
 * Puts a message in its next state. That a PUBREL is due is stored before it goes out: the
 * broker may give the packet id away after it. Throws what `keep` throws, and nothing has moved.
 */
export function moveMessage(message: Message, state: number, now: number): void {
  if (message.kept && state === AWAIT_PUBCOMP && message.state !== state) message.kept.keep(state);
  message.state = state;
  message.movedAt = now;
}

/**
 * Refuses one inbound message more than there is room for. The others are forgotten: a broker
 * that leaves them unreleased and sends on would end each connection to come likewise.
 */
export function requireRoom(session: SessionState): void {
  if (session.inbound.length < MAX_INBOUND) return;
  session.inbound = [];
  fail("size", `mqtt messages without pubrel, expected up to ${MAX_INBOUND}, got one more`);
}

/**
 * After CONNACK: everything is to be sent again, as repetitions if the broker knows of
 * it. `known` is false for another broker than the last one too, even if that has an
 * old session of this device: a PUBREL there would be answered, and the message lost.
 */
export function resumeSession(session: SessionState, known: boolean, maxQos: Qos): void {
  session.maxQos = maxQos;
  if (!known) session.inbound = [];
  session.outbound.forEach(function (message) {
    message.movedAt = UNSENT;
    if (known) return;
    message.dup = false;
    message.state = firstState(session, message.qos);
  });
}

/** The first message that has to be sent on this connection: newer ones wait for it. */
export function unsentMessage(session: SessionState): Message | undefined {
  return session.outbound.filter((message) => message.movedAt === UNSENT)[0];
}

/** The packet that is due for a message, counted as sent with this call. */
export function packetOf(message: Message, now: number): Bytes {
  const dup = message.dup;
  message.dup = true;
  message.movedAt = now;
  if (message.state === AWAIT_PUBCOMP) return encodeAck(PUBREL, message.packetId);
  const qos = message.state === AWAIT_PUBACK ? 1 : 2;
  return encodePublish(message.topic, message.payload, qos, message.packetId, dup);
}

/** True when something has awaited its acknowledgement for too long. */
export function isOverdue(session: SessionState, now: number): boolean {
  const since = now - ACKNOWLEDGE_TIMEOUT_S;
  return session.outbound.some((message) => message.movedAt !== UNSENT && message.movedAt < since);
}
