import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";

/**
 * MQTT 3.1.1 packets (OASIS standard, section numbers below): the ones a client
 * sends, encoded; the ones a server sends, decoded from TCP's pieces.
 */

/** Control packet types (section 2.2.1). */
export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const PINGRESP = 13;

/** Fixed packets (sections 3.12 and 3.14): type, flags 0, no more bytes. */
export const PINGREQ = "\xc0\x00" as Bytes;
export const DISCONNECT = "\xe0\x00" as Bytes;

/** SUBACK return code of a refused subscription (section 3.9.3). */
export const SUBSCRIBE_FAILURE = 0x80;

/**
 * Longest packet taken from a server, fixed header included: a downward message is
 * at most 1,024 bytes, which leaves 369 for its topic beside 7 of lengths and packet id.
 */
export const MAX_PACKET = 1400;

export type Qos = 0 | 1 | 2;

export interface Connack {
  type: typeof CONNACK;
  sessionPresent: boolean;
  /** 0 accepted, 1 to 5 refused (section 3.2.2.3). */
  returnCode: number;
}

export interface Publish {
  type: typeof PUBLISH;
  dup: boolean;
  qos: Qos;
  retain: boolean;
  topic: string;
  /** 1 to 65,535, or 0 for QoS 0, which has none. */
  packetId: number;
  payload: Bytes;
}

export interface Ack {
  type: typeof PUBACK | typeof PUBREC | typeof PUBREL | typeof PUBCOMP;
  packetId: number;
}

export interface Suback {
  type: typeof SUBACK;
  packetId: number;
  /** One for each topic filter: the granted QoS, or SUBSCRIBE_FAILURE. */
  returnCodes: number[];
}

export interface Pingresp {
  type: typeof PINGRESP;
}

/** The packets a server may send to this client. */
export type ServerPacket = Connack | Publish | Ack | Suback | Pingresp;

export interface ConnectOptions {
  clientId: string;
  cleanSession: boolean;
  /** Seconds, 0 to 65,535 (section 3.1.2.10). */
  keepAlive: number;
  username?: string | undefined;
  /** Only together with a username (section 3.1.2.9). */
  password?: string | undefined;
}

export interface Subscription {
  topicFilter: string;
  qos: Qos;
}

/** A 16-bit integer, most significant byte first. */
function encodeWord(value: number): string {
  return String.fromCharCode(value >> 8, value & 255);
}

/** A UTF-8 string with its length before it (section 1.5.3); the text is bytes already. */
function encodeString(text: string): string {
  if (text.length > 65535)
    fail("size", `mqtt string, expected up to 65535 bytes, got ${text.length}`);
  return encodeWord(text.length) + text;
}

/** The fixed header's first byte and remaining length (section 2.2.3) in front of the rest. */
function encodePacket(first: number, rest: string): Bytes {
  let header = String.fromCharCode(first);
  let length = rest.length;
  while (length > 127) {
    header += String.fromCharCode((length & 127) | 128);
    length >>= 7;
  }
  return (header + String.fromCharCode(length) + rest) as Bytes;
}

/** CONNECT (section 3.1), protocol level 4, without a will. */
export function encodeConnect(options: ConnectOptions): Bytes {
  let flags = options.cleanSession ? 2 : 0;
  let credentials = "";
  if (options.username !== undefined) {
    flags |= 128;
    credentials = encodeString(options.username);
    if (options.password !== undefined) {
      flags |= 64;
      credentials += encodeString(options.password);
    }
  }
  return encodePacket(
    CONNECT << 4,
    "\x00\x04MQTT\x04" +
      String.fromCharCode(flags) +
      encodeWord(options.keepAlive) +
      encodeString(options.clientId) +
      credentials,
  );
}

/** PUBLISH (section 3.3), never retained. The packet id is left out at QoS 0. */
export function encodePublish(
  topic: string,
  payload: Bytes,
  qos: Qos,
  packetId: number,
  dup: boolean,
): Bytes {
  const head = encodeString(topic);
  return encodePacket(
    (PUBLISH << 4) | (dup ? 8 : 0) | (qos << 1),
    (qos === 0 ? head : head + encodeWord(packetId)) + payload,
  );
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7); PUBREL alone has flags. */
export function encodeAck(type: number, packetId: number): Bytes {
  return String.fromCharCode(
    (type << 4) | (type === PUBREL ? 2 : 0),
    2,
    packetId >> 8,
    packetId & 255,
  ) as Bytes;
}

/** SUBSCRIBE (section 3.8) with one topic filter or more. */
export function encodeSubscribe(packetId: number, subscriptions: Subscription[]): Bytes {
  let rest = encodeWord(packetId);
  for (let i = 0; i < subscriptions.length; i++) {
    const subscription = subscriptions[i] as Subscription;
    rest += encodeString(subscription.topicFilter) + String.fromCharCode(subscription.qos);
  }
  return encodePacket((SUBSCRIBE << 4) | 2, rest);
}

/** What has arrived of a connection and is not decoded yet, from index `at`. */
export interface Decoder {
  buffer: string;
  at: number;
}

export function createDecoder(): Decoder {
  return { buffer: "", at: 0 };
}

/**
 * Adds what TCP delivered. Call nextPacket until it returns undefined before
 * adding more: then never more than MAX_PACKET bytes are left over.
 */
export function feedDecoder(decoder: Decoder, data: Bytes): void {
  const rest = decoder.buffer.length - decoder.at;
  decoder.buffer = rest > 0 ? decoder.buffer.substr(decoder.at) + data : data;
  decoder.at = 0;
}

function decodeWord(text: string, at: number): number {
  return (text.charCodeAt(at) << 8) | text.charCodeAt(at + 1);
}

function decodePacketId(text: string, at: number): number {
  const packetId = decodeWord(text, at);
  if (packetId === 0) fail("form", "mqtt packet id, expected 1 to 65535, got 0");
  return packetId;
}

function decodeConnack(body: string): Connack {
  const flags = body.charCodeAt(0);
  const returnCode = body.charCodeAt(1);
  // A refusal has no session (MQTT-3.2.2-4); codes above 5 are reserved.
  if (body.length !== 2 || returnCode > 5 || flags > (returnCode === 0 ? 1 : 0))
    fail("form", "mqtt connack, expected flags 0 or 1 and a code up to 5, got something else");
  return { type: CONNACK, sessionPresent: flags === 1, returnCode: returnCode };
}

function decodePublish(flags: number, body: string): Publish {
  const qos = (flags >> 1) & 3;
  const dup = (flags & 8) !== 0;
  if (qos === 3 || (qos === 0 && dup))
    fail("form", `mqtt publish, expected flags of QoS 0, 1 or 2, got ${flags}`);
  const topicEnd = 2 + decodeWord(body, 0);
  const start = topicEnd + (qos === 0 ? 0 : 2);
  if (body.length < 2 || topicEnd === 2 || start > body.length)
    fail(
      "form",
      `mqtt publish, expected a topic within ${body.length} bytes, got a longer or none`,
    );
  const topic = body.substring(2, topicEnd);
  // No wildcards in a topic name (MQTT-3.3.2-2), no NUL in any string (MQTT-1.5.3-2).
  // Whether the rest is UTF-8 needs no answer: topics are compared byte for byte.
  if (topic.indexOf("+") >= 0 || topic.indexOf("#") >= 0 || topic.indexOf("\x00") >= 0)
    fail("form", "mqtt publish, expected a topic name, got a wildcard or NUL in it");
  return {
    type: PUBLISH,
    dup: dup,
    qos: qos as Qos,
    retain: (flags & 1) !== 0,
    topic: topic,
    packetId: qos === 0 ? 0 : decodePacketId(body, topicEnd),
    payload: body.substr(start) as Bytes,
  };
}

function decodeSuback(body: string): Suback {
  if (body.length < 3) fail("form", `mqtt suback, expected 3 bytes or more, got ${body.length}`);
  const returnCodes: number[] = [];
  for (let i = 2; i < body.length; i++) {
    const code = body.charCodeAt(i);
    if (code > 2 && code !== SUBSCRIBE_FAILURE)
      fail("form", `mqtt suback, expected return code 0, 1, 2 or 128, got ${code}`);
    returnCodes.push(code);
  }
  return { type: SUBACK, packetId: decodePacketId(body, 0), returnCodes: returnCodes };
}

/** Flags are part of the type: refused before the rest of the packet is awaited. */
function checkFirst(first: number): void {
  const type = first >> 4;
  if (type === PUBLISH) return;
  const known =
    type === CONNACK || (type >= PUBACK && type <= PUBCOMP) || type === SUBACK || type === PINGRESP;
  if (!known || (first & 15) !== (type === PUBREL ? 2 : 0))
    fail("form", `mqtt packet, expected a server's type and flags, got ${first}`);
}

function decodeBody(first: number, body: string): ServerPacket {
  const type = first >> 4;
  if (type === PUBLISH) return decodePublish(first & 15, body);
  if (type === CONNACK) return decodeConnack(body);
  if (type === SUBACK) return decodeSuback(body);
  const expected = type === PINGRESP ? 0 : 2;
  if (body.length !== expected)
    fail("form", `mqtt packet type ${type}, expected ${expected} bytes, got ${body.length}`);
  if (type === PINGRESP) return { type: PINGRESP };
  return { type: type as Ack["type"], packetId: decodePacketId(body, 0) };
}

/**
 * The next whole packet, or undefined until more has arrived. Throws "form" for
 * what a server must not send and "size" above MAX_PACKET, both as soon as the
 * header shows it. After an error the connection is of no use (section 4.8).
 */
export function nextPacket(decoder: Decoder): ServerPacket | undefined {
  const buffer = decoder.buffer;
  const start = decoder.at;
  if (start >= buffer.length) return undefined;
  const first = buffer.charCodeAt(start);
  checkFirst(first);
  let at = start + 1;
  let length = 0;
  let scale = 1;
  let byte = 128;
  while (byte > 127) {
    if (at > start + 4) fail("form", "mqtt remaining length, expected up to 4 bytes, got more");
    if (at >= buffer.length) return undefined;
    byte = buffer.charCodeAt(at);
    at += 1;
    length += (byte & 127) * scale;
    scale *= 128;
    if (at - start + length > MAX_PACKET)
      fail("size", `mqtt packet, expected up to ${MAX_PACKET} bytes, got ${at - start + length}`);
  }
  if (buffer.length < at + length) return undefined;
  decoder.at = at + length;
  return decodeBody(first, buffer.substr(at, length));
}
