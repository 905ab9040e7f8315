import { type Bytes, chars } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import type { Socket } from "../ports.ts";
import { type Broker, CLOSE, CONNECTED, DATA, endTurn, openSocket, startTurns } from "./broker.ts";
import { createHandshake } from "./handshake.ts";
import { ACT, AWAIT_PUBREL, findMove, INBOUND, NEXT, NONE, OUTBOUND, REPLY } from "./inflight.ts";
import { BLOCKED_S, CONNECT_MS, LOOK_MS, MAX_PAYLOAD, MAX_REPLIES, RENEW_S } from "./limits.ts";
import { ASLEEP, type MqttClient, type MqttOptions, UNHEARD } from "./options.ts";
import {
  CONNACK,
  DISCONNECT,
  decodePacket,
  encodeAck,
  encodePublish,
  MAX_PACKET,
  PINGREQ,
  PINGRESP,
  PUBLISH,
  PUBREL,
  type ServerPacket,
  SUBACK,
  SUBSCRIBE_FAILURE,
  SUBSCRIBE_ID,
} from "./packet.ts";
import { CONNECTING, ONLINE, SUBSCRIBING, WAITING } from "./phase.ts";
import {
  addMessage,
  createSessionState,
  findMessage,
  isOverdue,
  MAX_INFLIGHT,
  moveMessage,
  packetOf,
  requireRoom,
  resumeSession,
  unsentMessage,
} from "./session-state.ts";

/**
 * An MQTT 3.1.1 client with a lasting session for a device with one thread and little memory. One
 * write at a time: the next goes out when the socket has drained; replies (together) before what a
 * reconnect resends before anything new. Every error ends the connection and nothing else. Throws
 * "argument" for a bad keepAlive, and when the first packet id cannot be drawn.
 */
export function createMqttClient(options: MqttOptions): MqttClient {
  const clock = options.clock;
  if (!(options.keepAlive >= 1 && options.keepAlive <= 65535))
    fail("argument", `mqtt keepAlive, expected 1 to 65535 s, got ${options.keepAlive}`);
  const session = createSessionState(options.random);
  let phase = WAITING;
  let timer = 0;
  const turn = startTurns(options.brokers);
  /** Whose session what is in flight belongs to. */
  let sessionAt: Broker | undefined;
  let onlineSince = 0;
  let sessionPresent = false;
  /** A PINGREQ awaits its PINGRESP; a packet came in, one went out, since the last look. */
  let pinged = false;
  let received = false;
  let sent = false;
  /** Of one connection: its socket, which has sent all it was given; what waits either way. */
  let socket: Socket | undefined;
  let drained = false;
  let replies = "";
  let arrived = "";
  /** Bytes still to come of a message that is passed over. */
  let skip = 0;

  function startTimer(milliseconds: number): void {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(onTimer, milliseconds);
  }

  /** Ends the connection, or the attempt at one; another follows, unless the board is to sleep. */
  function drop(reason: string): void {
    const isLast = reason === ASLEEP;
    if (isLast && phase === ONLINE) (socket as Socket).write(DISCONNECT);
    if (phase === WAITING) return;
    const wasOnline = phase === ONLINE;
    const lasted = wasOnline && reason !== UNHEARD ? clock.uptime() - onlineSince : 0;
    const pause = endTurn(turn, lasted, options.random);
    phase = WAITING;
    options.log(`mqtt: ${reason}${isLast ? "" : `; next attempt in ${Math.ceil(pause / 1000)} s`}`);
    if (isLast) clock.clearTimeout(timer);
    else startTimer(pause);
    const old = socket;
    socket = undefined;
    drained = false;
    arrived = "";
    skip = 0;
    if (old) old.end();
    if (wasOnline) options.onConnection(false);
  }

  function write(packet: Bytes): void {
    sent = true;
    drained = false;
    try {
      (socket as Socket).write(packet);
    } catch (error) {
      drop(`closed: ${error}`);
    }
  }

  /** Keeps a small packet for the next turn. */
  function reply(packet: Bytes): void {
    if (replies.length >= MAX_REPLIES) drop("overflow: replies unread");
    replies += packet;
  }

  /** Writes the one packet that is due, or says that the caller's turn has come. */
  function pump(): void {
    if (!drained) return;
    if (replies !== "") {
      const together = replies as Bytes;
      replies = "";
      write(together);
    } else if (phase === ONLINE) {
      const message = unsentMessage(session);
      const packet = message && packetOf(message, clock.uptime()); // Its record may fail.
      if (packet) write(packet);
      else options.onReady();
    }
  }

  function onConnack(payload: Bytes): void {
    const returnCode = payload.charCodeAt(1);
    if (returnCode !== 0) {
      drop(`refused-${createHandshake().nameRefusal(returnCode)}`);
      return;
    }
    sessionPresent = payload.charCodeAt(0) === 1;
    const maxQos = turn.broker.maxQos || 2;
    // Right after a boot nobody knows whose the session was: what goes wrong is sent again.
    const isLast = sessionAt === undefined || sessionAt === turn.broker;
    resumeSession(session, sessionPresent && isLast && !turn.clean, maxQos);
    sessionAt = turn.broker;
    phase = SUBSCRIBING;
    if (turn.clean) drop("cleaned");
    else reply(createHandshake().subscribe(options.subscriptions, maxQos));
  }

  function onSuback(packet: ServerPacket): void {
    const count = options.subscriptions.length;
    const isAsked = phase === SUBSCRIBING && packet.packetId === SUBSCRIBE_ID;
    if (!isAsked || packet.payload.length !== count)
      fail("form", `mqtt suback, expected one with ${count} codes, got ${packet.payload.length}`);
    if (packet.payload.indexOf(chars(SUBSCRIBE_FAILURE)) >= 0) {
      drop("subscribe");
      return;
    }
    phase = ONLINE;
    turn.connects++;
    onlineSince = clock.uptime();
    pinged = false;
    options.log(
      `mqtt: connected to ${turn.broker.host}, session ${sessionPresent ? "present" : "new"}`,
    );
    startTimer(options.keepAlive * LOOK_MS);
    options.onConnection(true);
  }

  /** Nothing that long is for a device: it is acknowledged like any other, and forgotten. */
  function deliver(packet: ServerPacket): void {
    if (packet.size <= MAX_PACKET) options.onMessage(packet.topic, packet.payload);
    else options.log(`mqtt: message of ${packet.size} bytes passed over`);
  }

  /** PUBLISH of QoS 1 or 2, and PUBREL: makes the table's move once the application has acted. */
  function onInbound(packet: ServerPacket): void {
    const packetId = packet.packetId;
    const known = session.inbound.indexOf(packetId) >= 0;
    const cell = findMove(INBOUND, known ? AWAIT_PUBREL : NONE, packet.type, packet.qos);
    const keep = (cell & NEXT) === AWAIT_PUBREL;
    if (keep && !known) requireRoom(session);
    if ((cell & ACT) !== 0) deliver(packet);
    session.inbound = session.inbound.filter((id) => id !== packetId);
    if (keep) session.inbound.push(packetId);
    reply(encodeAck(cell & REPLY, packetId));
  }

  /** PUBACK, PUBREC or PUBCOMP. */
  function onAcknowledgement(packet: ServerPacket): void {
    const index = findMessage(session, packet.packetId);
    const message = session.outbound[index];
    const cell = findMove(OUTBOUND, message ? message.state : NONE, packet.type, 0);
    if (message) moveMessage(message, cell & NEXT, clock.uptime());
    if ((cell & REPLY) !== 0) reply(encodeAck(cell & REPLY, packet.packetId));
    if (!message || (cell & ACT) === 0) return;
    session.outbound.splice(index, 1);
    message.done();
  }

  function onPacket(packet: ServerPacket): void {
    const type = packet.type;
    received = true;
    if ((phase === CONNECTING) !== (type === CONNACK))
      fail("form", `mqtt packet, expected one connack and first, got type ${type}`);
    if (type === PINGRESP) pinged = false;
    else if (type === CONNACK) onConnack(packet.payload);
    else if (type === SUBACK) onSuback(packet);
    else if (type === PUBLISH && packet.qos === 0) deliver(packet);
    else if (type === PUBLISH || type === PUBREL) onInbound(packet);
    else onAcknowledgement(packet);
  }

  /** Takes what has arrived, then writes what is due: all that a connection does. */
  function take(data: string): void {
    if (skip > 0) received = true;
    arrived += data.substr(skip);
    skip = Math.max(0, skip - data.length);
    try {
      let packet = decodePacket(arrived);
      while (packet) {
        skip = Math.max(0, packet.size - arrived.length);
        arrived = arrived.substr(packet.size);
        onPacket(packet);
        packet = decodePacket(arrived);
      }
      pump();
    } catch (error) {
      turn.malformed++;
      drop(`failed: ${error}`);
    }
  }

  /** Events of a connection that has ended, however late, are ignored. */
  function onSocket(from: Socket, event: number, data: string): void {
    if (from !== socket) return;
    if (event === CONNECTED) {
      turn.opened++;
      const handshake = createHandshake();
      write(handshake.connect(options.clientId, options.keepAlive, turn.broker, turn.clean));
    } else if (event === DATA) take(data);
    else if (event === CLOSE) drop("closed");
    else if (!drained) {
      // Espruino repeats "drain" while nothing waits: only the first is news.
      drained = true;
      take("");
    }
  }

  function open(): void {
    const began = clock.uptime();
    let failure: unknown;
    phase = CONNECTING;
    replies = "";
    try {
      socket = openSocket(options.net, turn.broker, onSocket);
    } catch (error) {
      failure = error;
    }
    turn.blocked = clock.uptime() - began >= BLOCKED_S;
    // Only now: time spent in the call is not the broker's.
    if (socket) startTimer(CONNECT_MS);
    else drop(`connect: ${failure}`);
  }

  function onTimer(): void {
    if (phase === WAITING) open();
    else if (phase !== ONLINE) drop("timeout");
    else if (pinged) drop("keep-alive");
    else if (isOverdue(session, clock.uptime())) drop("unacknowledged");
    else if (clock.uptime() - onlineSince >= RENEW_S && turn.unheard === 0) drop("renewed");
    else {
      pinged = !(sent && received);
      sent = false;
      received = false;
      startTimer(options.keepAlive * LOOK_MS);
      if (pinged) reply(PINGREQ);
      take("");
    }
  }

  return {
    connect: open,
    drop: drop,
    turn: turn,
    publish(topic, payload, qos, done, kept) {
      if (payload.length > MAX_PAYLOAD)
        fail("size", `mqtt payload, expected up to ${MAX_PAYLOAD} bytes, got ${payload.length}`);
      if (kept && kept.phase !== NONE) {
        addMessage(session, topic, payload, qos, done, kept);
        return true;
      }
      if (phase !== ONLINE || !drained || replies !== "" || unsentMessage(session)) return false;
      // A receipt was faster than the broker, which still owes the end of the first time.
      if (kept && findMessage(session, kept.packetId) >= 0) return false;
      if (qos === 0) {
        write(encodePublish(topic, payload, 0, 0, false));
        done();
        return true;
      }
      if (session.outbound.length >= MAX_INFLIGHT) return false;
      const packet = packetOf(addMessage(session, topic, payload, qos, done, kept), clock.uptime());
      write(packet);
      return true;
    },
  };
}
