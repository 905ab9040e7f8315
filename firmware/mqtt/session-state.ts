import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import {
  ACT,
  AWAIT_PUBACK,
  AWAIT_PUBCOMP,
  AWAIT_PUBREC,
  AWAIT_PUBREL,
  inboundMove,
  NEXT,
  NONE,
  outboundMove,
  REPLY,
} from "./inflight.ts";
import type { Outcome } from "./options.ts";
import type { Ack, Qos, Suback, Subscription } from "./packet.ts";
import {
  encodeAck,
  encodePublish,
  encodeSubscribe,
  PUBACK,
  PUBREL,
  SUBSCRIBE_FAILURE,
} from "./packet.ts";

/**
 * The Session state of section 4.1 that outlives a connection: messages in flight
 * both ways, packet ids and subscriptions. No input or output here.
 */

/** Outbound QoS 1 and 2 messages awaiting acknowledgement: each holds its bytes in memory. */
export const MAX_INFLIGHT = 4;
/** Inbound QoS 2 packet ids between PUBREC and PUBREL; Mosquitto has 20 in flight, EMQX 32. */
export const MAX_INBOUND = 32;
/** A device listens to five topics, twice while its key rolls. One SUBSCRIBE carries all. */
export const MAX_SUBSCRIPTIONS = 10;

interface Inflight {
  packetId: number;
  topic: string;
  payload: Bytes;
  qos: Qos;
  /** A state of the outbound table. */
  state: number;
  /** Sent, or its PUBREL, on this connection. */
  sent: boolean;
  /** Sent before in this session: the next PUBLISH is a repetition. */
  dup: boolean;
  /** Uptime of its last packet either way. */
  movedAt: number;
  done: (outcome: Outcome) => void;
}

interface Subscribed extends Subscription {
  /** SUBSCRIBE sent on this connection. */
  sent: boolean;
}

export interface SessionState {
  /** In the order of first sending, which is the order of resending (section 4.6). */
  inflight: Inflight[];
  /** Packet ids in the inbound table's state AWAIT_PUBREL. */
  inbound: number[];
  subscriptions: Subscribed[];
  /** Packet id of the SUBSCRIBE that awaits its SUBACK, or 0, and how many filters it has. */
  subscribeId: number;
  subscribeCount: number;
  subscribedAt: number;
  lastPacketId: number;
}

/**
 * An empty state. The packet ids start anywhere: after a power cut the broker may
 * still hold one of this device's, and would take a new message under it for the old.
 */
export function createSessionState(firstPacketId: number): SessionState {
  return {
    inflight: [],
    inbound: [],
    subscriptions: [],
    subscribeId: 0,
    subscribeCount: 0,
    subscribedAt: 0,
    lastPacketId: firstPacketId,
  };
}

function findInflight(session: SessionState, packetId: number): number {
  for (let i = 0; i < session.inflight.length; i++)
    if ((session.inflight[i] as Inflight).packetId === packetId) return i;
  return -1;
}

/** The next packet id not in use; there is one, for at most MAX_INFLIGHT + 1 are. */
function nextPacketId(session: SessionState): number {
  let packetId = (session.lastPacketId % 65535) + 1;
  while (packetId === session.subscribeId || findInflight(session, packetId) >= 0)
    packetId = (packetId % 65535) + 1;
  session.lastPacketId = packetId;
  return packetId;
}

/** After CONNACK: everything is to be sent again, as repetitions if the broker knows of it. */
export function resumeSession(session: SessionState, sessionPresent: boolean): void {
  if (!sessionPresent) session.inbound = [];
  session.subscribeId = 0;
  for (let i = 0; i < session.subscriptions.length; i++)
    (session.subscriptions[i] as Subscribed).sent = false;
  for (let i = 0; i < session.inflight.length; i++) {
    const message = session.inflight[i] as Inflight;
    message.sent = false;
    if (sessionPresent) continue;
    message.dup = false;
    message.state = message.qos === 1 ? AWAIT_PUBACK : AWAIT_PUBREC;
  }
}

/** Takes a QoS 1 or 2 message in; nextUnsent gives its packet. */
export function addMessage(
  session: SessionState,
  topic: string,
  payload: Bytes,
  qos: Qos,
  done: (outcome: Outcome) => void,
): void {
  session.inflight.push({
    packetId: nextPacketId(session),
    topic: topic,
    payload: payload,
    qos: qos,
    state: qos === 1 ? AWAIT_PUBACK : AWAIT_PUBREC,
    sent: false,
    dup: false,
    movedAt: 0,
    done: done,
  });
}

/** True while something of an earlier connection still has to be sent: new messages wait. */
export function hasUnsent(session: SessionState): boolean {
  for (let i = 0; i < session.inflight.length; i++)
    if (!(session.inflight[i] as Inflight).sent) return true;
  return false;
}

function unsentSubscribe(session: SessionState, now: number): Bytes | undefined {
  const due: Subscribed[] = [];
  for (let i = 0; i < session.subscriptions.length; i++) {
    const subscription = session.subscriptions[i] as Subscribed;
    if (subscription.sent) continue;
    subscription.sent = true;
    due.push(subscription);
  }
  if (due.length === 0) return undefined;
  session.subscribeId = nextPacketId(session);
  session.subscribeCount = due.length;
  session.subscribedAt = now;
  return encodeSubscribe(session.subscribeId, due);
}

/**
 * The next packet to send, counted as sent with this call: SUBSCRIBE first (one at a
 * time), so that no answer to a message is missed, then messages in their order.
 */
export function nextUnsent(session: SessionState, now: number): Bytes | undefined {
  const subscribe = session.subscribeId === 0 ? unsentSubscribe(session, now) : undefined;
  if (subscribe !== undefined) return subscribe;
  for (let i = 0; i < session.inflight.length; i++) {
    const message = session.inflight[i] as Inflight;
    if (message.sent) continue;
    const dup = message.dup;
    message.sent = true;
    message.dup = true;
    message.movedAt = now;
    return message.state === AWAIT_PUBCOMP
      ? encodeAck(PUBREL, message.packetId)
      : encodePublish(message.topic, message.payload, message.qos, message.packetId, dup);
  }
  return undefined;
}

/** What a packet asks for: a reply to send, and the callback of a message that is done. */
export interface Answer {
  reply: Bytes | undefined;
  done: ((outcome: Outcome) => void) | undefined;
  outcome: Outcome;
}

/** PUBACK, PUBREC or PUBCOMP has come; "form" when the table has no such move. */
export function acknowledge(session: SessionState, ack: Ack, now: number): Answer {
  const index = findInflight(session, ack.packetId);
  const message = session.inflight[index];
  const cell = outboundMove(message === undefined ? NONE : message.state, ack.type);
  const reply = (cell & REPLY) === 0 ? undefined : encodeAck(cell & REPLY, ack.packetId);
  if (message !== undefined) {
    message.state = cell & NEXT;
    message.sent = true;
    message.movedAt = now;
  }
  if ((cell & ACT) === 0 || message === undefined)
    return { reply: reply, done: undefined, outcome: "lost" };
  session.inflight.splice(index, 1);
  return { reply: reply, done: message.done, outcome: ack.type === PUBACK ? "puback" : "pubcomp" };
}

/**
 * The cell of the inbound table for a PUBLISH (QoS 1 or 2) or PUBREL of this packet
 * id. Throws "form" for an illegal move, "size" for one id more than MAX_INBOUND.
 */
export function inboundCell(
  session: SessionState,
  type: number,
  packetId: number,
  qos: Qos,
): number {
  const known = session.inbound.indexOf(packetId) >= 0;
  const cell = inboundMove(known ? AWAIT_PUBREL : NONE, type, qos);
  if (!known && (cell & NEXT) === AWAIT_PUBREL && session.inbound.length >= MAX_INBOUND)
    fail("size", `mqtt messages without pubrel, expected up to ${MAX_INBOUND}, got one more`);
  return cell;
}

/** Makes the cell's move, once the application has acted where it asks for that. The reply. */
export function settleInbound(session: SessionState, packetId: number, cell: number): Bytes {
  const index = session.inbound.indexOf(packetId);
  if ((cell & NEXT) === AWAIT_PUBREL) {
    if (index < 0) session.inbound.push(packetId);
  } else if (index >= 0) session.inbound.splice(index, 1);
  return encodeAck(cell & REPLY, packetId);
}

/** SUBACK has come: false when a filter was refused; "form" when it answers no SUBSCRIBE. */
export function acceptSuback(session: SessionState, suback: Suback): boolean {
  if (session.subscribeId !== suback.packetId)
    fail("form", `mqtt suback, expected for ${session.subscribeId}, got ${suback.packetId}`);
  if (session.subscribeCount !== suback.returnCodes.length)
    fail("form", `mqtt suback, expected ${session.subscribeCount} return codes, got others`);
  session.subscribeId = 0;
  return suback.returnCodes.indexOf(SUBSCRIBE_FAILURE) < 0;
}

/** Adds a topic filter, or changes its QoS; either is sent with the next SUBSCRIBE. */
export function addSubscription(session: SessionState, topicFilter: string, qos: Qos): void {
  const subscriptions = session.subscriptions;
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i] as Subscribed;
    if (subscription.topicFilter !== topicFilter) continue;
    subscription.sent = subscription.sent && subscription.qos === qos;
    subscription.qos = qos;
    return;
  }
  if (subscriptions.length >= MAX_SUBSCRIPTIONS)
    fail("size", `mqtt subscriptions, expected up to ${MAX_SUBSCRIPTIONS}, got one more`);
  subscriptions.push({ topicFilter: topicFilter, qos: qos, sent: false });
}

/** True when something sent before the uptime `since` still awaits its acknowledgement. */
export function isOverdue(session: SessionState, since: number): boolean {
  if (session.subscribeId !== 0 && session.subscribedAt < since) return true;
  for (let i = 0; i < session.inflight.length; i++) {
    const message = session.inflight[i] as Inflight;
    if (message.sent && message.movedAt < since) return true;
  }
  return false;
}
