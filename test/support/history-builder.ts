/** A good history, made by the oracle's builders, and open to doctoring. */
import { createHash, randomBytes } from "node:crypto";
import type { Packet } from "mqtt-packet";
import type { Bytes } from "../../protocol/bytes.ts";
import { decodeOracle, encodeOracle, Tag, toBinary } from "./cbor-oracle.ts";
import { aadOracle, buildEncrypt0, buildSession, hkdfOracle } from "./cose-builder.ts";
import type { History, HistoryEvent, StoredSession, Values } from "./history.ts";
import { makeParty } from "./parties.ts";

const device = makeParty();
const cloud = makeParty();
const TOPIC = `cf/1/${Buffer.from(device.kid, "latin1").toString("hex")}`;

export interface BuiltSession {
  stored: StoredSession;
  message: Buffer;
}

export function makeSession(counter: number): BuiltSession {
  const built = buildSession(device, [cloud], { sessionKid: Buffer.of(counter) });
  const message = toBinary(built.message);
  const [header, , payload] = (decodeOracle(built.message) as Tag).value as [
    Buffer,
    unknown,
    Buffer,
  ];
  const aad = toBinary(aadOracle("session", device.thumbprint));
  const structure = toBinary(encodeOracle(["Signature1", header, aad, payload]));
  const hash = createHash("sha256").update(structure).digest();
  return { message, stored: { counter, key: built.sessionKey, baseIv: built.baseIv, hash } };
}

/** A SenML pack of one count, and of the uptime that the firmware adds. */
export function makeReading({ stored }: BuiltSession, sequence: number, count: number): Buffer {
  const nonce = Buffer.from(stored.baseIv);
  nonce[11] = (nonce[11] as number) ^ sequence;
  const header = new Map<number, unknown>([
    [1, 1],
    [4, Buffer.of(stored.counter)],
    [6, Buffer.of(sequence)],
  ]);
  const pack = encodeOracle([
    new Map<number, unknown>([
      [0, "count"],
      [1, "1"],
      [2, new Tag([-2, count], 4)],
    ]),
    new Map<number, unknown>([
      [0, "uptime"],
      [1, "s"],
      [2, 5],
    ]),
  ]);
  const aad = aadOracle("reading", device.thumbprint);
  return toBinary(buildEncrypt0(stored.key, nonce, aad, header, new Map(), pack));
}

export function makeReceipt(
  { stored }: BuiltSession,
  hashes: Buffer[],
  ranges: [counter: number, first: number, last: number][],
): Buffer {
  const iv = randomBytes(12);
  const header = new Map<number, unknown>([
    [1, 1],
    [4, Buffer.of(stored.counter)],
  ]);
  const payload = new Map<number, unknown>([
    [1, 1_800_000_000],
    [2, hashes.map((hash) => hash.subarray(0, 16))],
    [3, ranges.map(([counter, first, last]) => [Buffer.of(counter), first, last])],
  ]);
  const key = hkdfOracle(stored.key, "coseflow/1 receipt" as Bytes);
  const aad = aadOracle("receipt", device.thumbprint);
  return toBinary(buildEncrypt0(key, iv, aad, header, new Map([[5, iv]]), encodeOracle(payload)));
}

type MessageClass = "session" | "reading" | "receipt";

export function publish(
  messageClass: MessageClass,
  payload: Buffer,
  messageId: number,
  dup = false,
): Packet {
  const qos = messageClass === "session" ? 2 : 1;
  const topic = `${TOPIC}/${messageClass}`;
  return { cmd: "publish", topic, payload, qos, messageId, dup, retain: false };
}

export const sent = (packet: Packet): HistoryEvent => ({ kind: "sent", packet });
export const got = (packet: Packet): HistoryEvent => ({ kind: "got", packet });
export const BOOT: HistoryEvent = { kind: "boot" };
export const connack = (sessionPresent: boolean): HistoryEvent =>
  got({ cmd: "connack", sessionPresent, returnCode: 0 });
export const ack = (
  cmd: "puback" | "pubrec" | "pubrel" | "pubcomp",
  messageId: number,
): Packet => ({
  cmd,
  messageId,
});

export const hundredths = (count: number): Values => ({ count: count / 100 });
export const storedAs = (session: number, sequence: number, count: number) => ({
  session,
  sequence,
  values: { ...hundredths(count), uptime: 5 },
});

export interface GoodHistory extends History {
  session: BuiltSession;
  first: Buffer;
  second: Buffer;
}

/** One session, two readings, all receipted; a third that was measured and is still on its way. */
export function goodHistory(): GoodHistory {
  const session = makeSession(7);
  const first = makeReading(session, 1, 2150);
  const second = makeReading(session, 2, 2151);
  return {
    session,
    first,
    second,
    thumbprint: toBinary(device.thumbprint),
    events: [
      BOOT,
      connack(false),
      sent(publish("session", session.message, 10)),
      got(ack("pubrec", 10)),
      sent(ack("pubrel", 10)),
      got(ack("pubcomp", 10)),
      got(publish("receipt", makeReceipt(session, [session.stored.hash], []), 1)),
      sent(publish("reading", first, 11)),
      got(ack("puback", 11)),
      sent(publish("reading", second, 12)),
      connack(true),
      sent(publish("reading", second, 12, true)),
      got(ack("puback", 12)),
      got(publish("receipt", makeReceipt(session, [], [[7, 1, 2]]), 2)),
    ],
    produced: [2150, 2151, 2152].map(hundredths),
    cloud: {
      sessions: [session.stored],
      readings: [storedAs(7, 1, 2150), storedAs(7, 2, 2151)],
      refused: {},
    },
    arrived: [0, 1],
    mayRefuse: [],
  };
}
