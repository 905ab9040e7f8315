import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { BACKOFF_MAX_MS, BLOCKED_S, backoffMs, STABLE_S } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { openConnection } from "./connection.ts";
import { ACT } from "./inflight.ts";
import type { DisconnectReason, MqttClient, MqttOptions, Outcome } from "./options.ts";
import { REFUSALS } from "./options.ts";
import type { Ack, Connack, Publish, Qos, ServerPacket, Suback } from "./packet.ts";
import {
  CONNACK,
  DISCONNECT,
  encodeConnect,
  encodePublish,
  PINGREQ,
  PINGRESP,
  PUBLISH,
  PUBREL,
  SUBACK,
} from "./packet.ts";
import {
  acceptSuback,
  acknowledge,
  addMessage,
  addSubscription,
  createSessionState,
  hasUnsent,
  inboundCell,
  isOverdue,
  MAX_INFLIGHT,
  nextUnsent,
  resumeSession,
  settleInbound,
} from "./session-state.ts";

/** The protocol's limit of a session or provisioning message upward. */
export const MAX_PAYLOAD = 4096;
/** From opening the connection until SUBACK. A blocked connect alone takes about 20 s on ESP32. */
export const CONNECT_TIMEOUT_MS = 45000;
/** A broker that answers pings but not a PUBLISH or SUBSCRIBE for this long has lost it. */
export const ACKNOWLEDGE_TIMEOUT_S = 60;
/**
 * Looks at the connection in one keepAlive of 1,000 ms: packets go out at least every
 * two looks, within keepAlive; silence is noticed after three, 1.2 times keepAlive.
 */
const LOOK_MS = 400;

/** Life of the client: CLOSED until connect(), WAITING between attempts, then upward. */
const CLOSED = 0;
const WAITING = 1;
const CONNECTING = 2;
const SUBSCRIBING = 3;
const ONLINE = 4;

/**
 * An MQTT 3.1.1 client with a lasting session (cleanSession 0) for a device with one
 * thread and little memory. One write at a time: the next goes out when the socket
 * has drained; replies (together) before SUBSCRIBE before what a reconnect resends
 * before anything new. Every error ends the connection and nothing else. Throws
 * "argument" for a bad keepAlive, and when the first packet id cannot be drawn.
 */
export function createMqttClient(options: MqttOptions): MqttClient {
  const clock = options.clock;
  if (!(options.keepAlive >= 1 && options.keepAlive <= 65535))
    fail("argument", `mqtt keepAlive, expected 1 to 65535 s, got ${options.keepAlive}`);
  const seed = options.random(2);
  const session = createSessionState((seed.charCodeAt(0) << 8) | seed.charCodeAt(1));
  let phase = CLOSED;
  let connection: Connection | undefined;
  let timer = -1;
  let failures = 0;
  /** Callback of the QoS 0 message that the socket has not drained yet. */
  let writing: ((outcome: Outcome) => void) | undefined;
  let sessionPresent = false;
  let onlineSince = 0;
  /** A PINGREQ awaits its PINGRESP. */
  let pinged = false;
  /** A packet came in, one went out, since the last look. */
  let received = false;
  let sent = false;

  function startTimer(milliseconds: number): void {
    if (timer >= 0) clock.clearTimeout(timer);
    timer = clock.setTimeout(onTimer, milliseconds);
  }

  function tell(done: ((outcome: Outcome) => void) | undefined, outcome: Outcome): void {
    if (done === undefined) return;
    try {
      done(outcome);
    } catch (error) {
      options.log(`mqtt: the callback for "${outcome}" failed: ${error}`);
    }
  }

  function endConnection(next: number): void {
    const old = connection;
    const lost = writing;
    phase = next;
    connection = undefined;
    writing = undefined;
    if (timer >= 0) clock.clearTimeout(timer);
    timer = -1;
    if (old !== undefined) old.close();
    tell(lost, "lost");
  }

  function drop(reason: DisconnectReason, detail: string, leastMs: number): void {
    if (phase === ONLINE && clock.uptime() - onlineSince >= STABLE_S) failures = 0;
    failures += 1;
    endConnection(WAITING);
    const pause = Math.max(leastMs, backoffMs(failures, options.random));
    options.log(`mqtt: ${reason}${detail}; next attempt in ${Math.ceil(pause / 1000)} s`);
    startTimer(pause);
    options.onDisconnect(reason);
  }

  function write(packet: Bytes): void {
    sent = true;
    if (connection !== undefined) connection.write(packet);
  }

  /** Writes the one packet that is due, or says that the caller's turn has come. */
  function pump(): void {
    if (connection === undefined) return;
    connection.flush();
    if (phase < SUBSCRIBING || !connection.isFree()) return;
    const packet = nextUnsent(session, clock.uptime());
    if (packet !== undefined) write(packet);
    else if (phase === ONLINE) options.onReady();
  }

  function reply(packet: Bytes): void {
    sent = true;
    if (connection !== undefined) connection.reply(packet);
  }

  function goOnline(): void {
    phase = ONLINE;
    onlineSince = clock.uptime();
    pinged = false;
    options.log(`mqtt: connected, session ${sessionPresent ? "present" : "new"}`);
    startTimer(options.keepAlive * LOOK_MS);
    options.onConnect(sessionPresent);
  }

  function onConnack(connack: Connack): void {
    if (connack.returnCode !== 0) {
      drop(REFUSALS[connack.returnCode - 1] as DisconnectReason, "", 0);
      return;
    }
    sessionPresent = connack.sessionPresent;
    resumeSession(session, sessionPresent);
    phase = SUBSCRIBING;
    if (session.subscriptions.length === 0) goOnline();
  }

  function onSuback(suback: Suback): void {
    if (!acceptSuback(session, suback)) drop("subscribe", "", 0);
    else if (phase === SUBSCRIBING) goOnline();
  }

  /** Gives a message to the application; false when that cost the connection. */
  function deliver(publish: Publish): boolean {
    try {
      options.onMessage(publish.topic, publish.payload, publish.qos);
    } catch (error) {
      drop("handler", `: ${error}`, 0);
      return false;
    }
    return true;
  }

  function onPublish(publish: Publish): void {
    if (publish.qos === 0) {
      deliver(publish);
      return;
    }
    const cell = inboundCell(session, PUBLISH, publish.packetId, publish.qos);
    if ((cell & ACT) !== 0 && !deliver(publish)) return;
    reply(settleInbound(session, publish.packetId, cell));
  }

  function onAcknowledgement(ack: Ack): void {
    const answer = acknowledge(session, ack, clock.uptime());
    if (answer.reply !== undefined) reply(answer.reply);
    tell(answer.done, answer.outcome);
  }

  function onPacket(packet: ServerPacket): void {
    received = true;
    if ((phase === CONNECTING) !== (packet.type === CONNACK))
      fail("form", `mqtt packet, expected one connack and first, got type ${packet.type}`);
    const type = packet.type;
    if (type === PUBLISH) onPublish(packet);
    else if (type === PUBREL) {
      const cell = inboundCell(session, PUBREL, packet.packetId, 2);
      reply(settleInbound(session, packet.packetId, cell));
    } else if (type === PINGRESP) pinged = false;
    else if (type === CONNACK) onConnack(packet);
    else if (type === SUBACK) onSuback(packet);
    else onAcknowledgement(packet);
  }

  function onTurn(): void {
    if (writing !== undefined && connection !== undefined && connection.isFree()) {
      const done = writing;
      writing = undefined;
      tell(done, "written");
    }
    pump();
  }

  function onEnd(reason: DisconnectReason, detail: string): void {
    drop(reason, detail, 0);
  }

  function open(): void {
    const began = clock.uptime();
    phase = CONNECTING;
    startTimer(CONNECT_TIMEOUT_MS);
    try {
      connection = openConnection(
        options.net,
        { host: options.host, port: options.port },
        encodeConnect({
          clientId: options.clientId,
          cleanSession: false,
          keepAlive: options.keepAlive,
          username: options.username,
          password: options.password,
        }),
        { onPacket: onPacket, onTurn: onTurn, onEnd: onEnd },
      );
    } catch (error) {
      drop("connect", `: ${error}`, clock.uptime() - began < BLOCKED_S ? 0 : BACKOFF_MAX_MS);
    }
  }

  function look(): void {
    startTimer(options.keepAlive * LOOK_MS);
    pinged = !(sent && received);
    sent = false;
    received = false;
    if (pinged) reply(PINGREQ);
    pump();
  }

  function onTimer(): void {
    timer = -1;
    if (phase === WAITING) open();
    else if (phase !== ONLINE) drop("timeout", "", 0);
    else if (pinged) drop("keep-alive", "", 0);
    else if (isOverdue(session, clock.uptime() - ACKNOWLEDGE_TIMEOUT_S))
      drop("unacknowledged", "", 0);
    else look();
  }

  function canPublish(qos: Qos): boolean {
    if (phase !== ONLINE || connection === undefined) return false;
    if (!connection.isFree() || hasUnsent(session)) return false;
    return qos === 0 || session.inflight.length < MAX_INFLIGHT;
  }

  return {
    connect(): void {
      if (phase === CLOSED) open();
    },
    close(): void {
      if (phase === CLOSED) return;
      if (phase >= SUBSCRIBING) write(DISCONNECT);
      endConnection(CLOSED);
      options.onDisconnect("requested");
    },
    subscribe(topicFilter: string, qos: Qos): void {
      addSubscription(session, topicFilter, qos);
      pump();
    },
    canPublish: canPublish,
    publish(topic: string, payload: Bytes, qos: Qos, done: (outcome: Outcome) => void): boolean {
      if (payload.length > MAX_PAYLOAD)
        fail("size", `mqtt payload, expected up to ${MAX_PAYLOAD} bytes, got ${payload.length}`);
      if (!canPublish(qos)) return false;
      if (qos === 0) {
        writing = done;
        write(encodePublish(topic, payload, 0, 0, false));
      } else {
        addMessage(session, topic, payload, qos, done);
        pump();
      }
      return true;
    },
  };
}
