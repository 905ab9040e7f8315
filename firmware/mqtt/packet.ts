import { type Bytes, chars, fromBigEndian } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";

/**
 * MQTT 3.1.1 packets (OASIS standard, section numbers below): the ones a client sends
 * all the time, encoded (handshake.ts has the others); the ones a server sends, decoded
 * from TCP's pieces.
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

/** PINGREQ (section 3.12): type, flags 0, no more bytes. */
export const PINGREQ = "\xc0\x00" as Bytes;
/** Section 3.14: the client ends the connection as it should. */
export const DISCONNECT = "\xe0\x00" as Bytes;

/** SUBACK return code of a refused subscription (section 3.9.3). */
export const SUBSCRIBE_FAILURE = 128;

/** Packet id of every SUBSCRIBE: there is one in a connection. Messages have all others. */
export const SUBSCRIBE_ID = 1;

/**
 * Longest packet taken from a server, fixed header included: a downward message is
 * at most 1,024 bytes, which leaves 369 for its topic beside 7 of lengths and packet id.
 */
export const MAX_PACKET = 1400;

export type Qos = 0 | 1 | 2;

/** A packet from the server. What its type does not have is 0 or empty. */
export interface ServerPacket {
  type: number;
  /** Bytes of the whole packet. */
  size: number;
  /** Of a PUBLISH. */
  qos: number;
  /** 1 to 65,535. */
  packetId: number;
  topic: string;
  /**
   * What stands last. PUBLISH: the message. CONNACK: flags, 1 for a present session, and
   * return code (section 3.2.2.3). SUBACK: the granted QoS, or SUBSCRIBE_FAILURE, of
   * each topic filter.
   */
  payload: Bytes;
}

export interface Subscription {
  topicFilter: string;
  qos: Qos;
}

/** A UTF-8 string with its length before it (section 1.5.3); the text is bytes already. */
export function encodeString(text: string): string {
  if (text.length > 65535)
    fail("size", `mqtt string, expected up to 65535 bytes, got ${text.length}`);
  return chars(text.length >> 8, text.length & 255) + text;
}

/** The fixed header's first byte and remaining length (section 2.2.3) in front of the rest. */
export function encodePacket(first: number, rest: string): Bytes {
  let header = chars(first);
  let length = rest.length;
  while (length > 127) {
    header += chars((length & 127) | 128);
    length >>= 7;
  }
  return (header + chars(length) + rest) as Bytes;
}

/** PUBLISH (section 3.3), never retained. The packet id is left out at QoS 0. */
export function encodePublish(
  topic: string,
  payload: Bytes,
  qos: Qos,
  packetId: number,
  dup: boolean,
): Bytes {
  return encodePacket(
    (PUBLISH << 4) | (dup ? 8 : 0) | (qos << 1),
    encodeString(topic) + (qos === 0 ? "" : chars(packetId >> 8, packetId & 255)) + payload,
  );
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7); PUBREL alone has flags. */
export function encodeAck(type: number, packetId: number): Bytes {
  const flags = type === PUBREL ? 2 : 0;
  return encodePacket((type << 4) | flags, chars(packetId >> 8, packetId & 255));
}

/** Flags are part of the type: refused before the rest of the packet is awaited. */
function checkFirst(first: number): void {
  const type = first >> 4;
  const flags = first & 15;
  if (type === PUBLISH) {
    if ((flags & 14) === 8 || (flags & 6) === 6)
      fail("form", `mqtt publish, expected flags of QoS 0, 1 or 2, got ${flags}`);
    return;
  }
  const known =
    type === CONNACK || (type >= PUBACK && type <= PUBCOMP) || type === SUBACK || type === PINGRESP;
  if (!known || flags !== (type === PUBREL ? 2 : 0))
    fail("form", `mqtt packet, expected a server's type and flags, got ${first}`);
}

/** What the packets that have a payload may hold in it. */
function checkContent(packet: ServerPacket): void {
  const topic = packet.topic;
  const payload = packet.payload;
  if (packet.type === PUBLISH) {
    // No wildcards in a topic name (MQTT-3.3.2-2), no NUL in any string (MQTT-1.5.3-2).
    // Whether the rest is UTF-8 needs no answer: topics are compared byte for byte.
    const isName = topic.indexOf("+") < 0 && topic.indexOf("#") < 0 && topic.indexOf("\0") < 0;
    if (topic === "" || !isName)
      fail("form", "mqtt publish, expected a topic name, got none, a wildcard or NUL in it");
  } else if (packet.type === CONNACK) {
    const returnCode = payload.charCodeAt(1);
    // A refusal has no session (MQTT-3.2.2-4); codes above 5 are reserved.
    if (returnCode > 5 || payload.charCodeAt(0) > (returnCode === 0 ? 1 : 0))
      fail("form", "mqtt connack, expected flags 0 or 1 and a code up to 5, got something else");
  } else
    for (let i = 0; i < payload.length; i++) {
      const code = payload.charCodeAt(i);
      if (code > 2 && code !== SUBSCRIBE_FAILURE)
        fail("form", `mqtt suback, expected return code 0, 1, 2 or 128, got ${code}`);
    }
}

function decodeBody(first: number, size: number, body: string): ServerPacket {
  const type = first >> 4;
  const isPublish = type === PUBLISH;
  const qos = isPublish ? (first >> 1) & 3 : 0;
  const topicEnd = isPublish ? 2 + fromBigEndian(body.substring(0, 2) as Bytes) : 0;
  const hasId = isPublish ? qos > 0 : type !== CONNACK && type !== PINGRESP;
  const start = topicEnd + (hasId ? 2 : 0);
  const least = start + (type === CONNACK ? 2 : type === SUBACK ? 1 : 0);
  const isOpen = isPublish || type === SUBACK;
  if (body.length < least || (body.length > least && !isOpen))
    fail(
      "form",
      `mqtt packet type ${type}, expected ${least} bytes${isOpen ? " or more" : ""}, got ${body.length}`,
    );
  const packet = {
    type: type,
    size: size,
    qos: qos,
    packetId: hasId ? fromBigEndian(body.substring(topicEnd, start) as Bytes) : 0,
    topic: isPublish ? body.substring(2, topicEnd) : "",
    payload: body.substr(start) as Bytes,
  };
  if (hasId && packet.packetId === 0) fail("form", "mqtt packet id, expected 1 to 65535, got 0");
  checkContent(packet);
  return packet;
}

/**
 * The packet that `buffer` starts with, or undefined until all of it has arrived.
 * Throws "form" for what a server must not send and "size" above MAX_PACKET, both as
 * soon as the header shows it, so never more than MAX_PACKET bytes are waited for.
 * After an error the connection is of no use (section 4.8).
 *
 * A PUBLISH above MAX_PACKET comes out as soon as its topic and packet id are there,
 * with its true size and a payload of no meaning: it has to be acknowledged, or a
 * lasting session would bring it again with every connection.
 */
export function decodePacket(buffer: string): ServerPacket | undefined {
  if (buffer === "") return undefined;
  const first = buffer.charCodeAt(0);
  checkFirst(first);
  let at = 1;
  let length = 0;
  let scale = 1;
  let byte = 128;
  while (byte > 127) {
    if (at > 4) fail("form", "mqtt remaining length, expected up to 4 bytes, got more");
    if (at >= buffer.length) return undefined;
    byte = buffer.charCodeAt(at);
    at++;
    length += (byte & 127) * scale;
    scale *= 128;
  }
  const size = at + length;
  let end = size;
  if (size > MAX_PACKET && first >> 4 === PUBLISH) {
    if (buffer.length < at + 2) return undefined;
    end = at + 4 + fromBigEndian(buffer.substring(at, at + 2) as Bytes);
  }
  if (end > MAX_PACKET) fail("size", `mqtt packet, expected up to ${MAX_PACKET} bytes, got ${end}`);
  return buffer.length < end ? undefined : decodeBody(first, size, buffer.substring(at, end));
}
