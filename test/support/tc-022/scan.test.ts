/** The scanner of TC-022 finds what is planted, in each form and place. Encoders are others than its own. */
import { randomBytes } from "node:crypto";
import { encode } from "cbor-x";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { BROKER_LOG, CONNECTION, logPiece, type Piece, piecesOf, SUBSCRIPTION } from "./pieces.ts";
import { scan } from "./scan.ts";
import { judge, toTable, type Waiver } from "./verdict.ts";
import { SHORTEST, secretWord, textWord, valueWord } from "./words.ts";

const CLAIM = randomBytes(16);
const NAME = "glasshouse";
const SHORT = "load";
const VALUE = 2718281828459045;

const WORDS = [
  textWord("id", NAME),
  textWord("short", SHORT, "\x01"),
  secretWord("claim", CLAIM),
  valueWord("value", VALUE, -2),
];

const READING = "cf/1/0011223344556677/reading";
const PUBLISH = { cmd: "publish", qos: 1, messageId: 7, dup: false, retain: false } as const;
const CONNECT = {
  ...{ cmd: "connect", protocolId: "MQTT", clean: true, keepalive: 30 },
  ...{ clientId: "cf-0011223344556677", username: "u", password: Buffer.from("p") },
} as const;

/** What a connection of these packets looks like to the recorder; TCP cuts where it likes. */
function record(packets: object[], protocolVersion: 4 | 5 = 4): Piece[] {
  const stream = Buffer.concat(
    [{ ...CONNECT, protocolVersion }, ...packets].map((packet) =>
      generate(packet as Packet, { protocolVersion }),
    ),
  );
  const up: Buffer[] = [];
  for (let at = 0; at < stream.length; at += 11) up.push(stream.subarray(at, at + 11));
  return piecesOf({ party: "device", up, down: [] }, new Map());
}

const sentAs = (payload: Buffer | string, topic = READING) =>
  record([
    { ...PUBLISH, topic, payload: "before" },
    { ...PUBLISH, topic, payload },
    { ...PUBLISH, topic, payload: "after" },
  ]);

/** Each finding once: word and place. */
const found = (pieces: Piece[]) => [
  ...new Set(
    scan(pieces, WORDS).map(({ word, place, piece }) => `${word}, ${piece.messageClass} ${place}`),
  ),
];

/** A text, as encoders of texts leave it; the last one without quotes. */
const TEXTS: [string, (text: string) => Buffer | string][] = [
  ["text", (text) => `{"name":"${text}","unit":1}`],
  ["hex", (text) => Buffer.from(`"${text}"`).toString("hex")],
  ["capital hex", (text) => Buffer.from(`"${text}"`).toString("hex").toUpperCase()],
  ...[0, 1, 2].map((before): [string, (text: string) => string] => [
    `base64 behind ${before}`,
    (text) => Buffer.from(`${"-".repeat(before)}"${text}"--`).toString("base64"),
  ]),
  ["CBOR", (text) => encode({ 0: text, 1: "1" })],
];

const bigEndian = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};

const VALUES: [string, Buffer | string][] = [
  ["digits", `memory: ${VALUE} B`],
  ["digits with a point", "27182818284590.45"],
  ["JSON", JSON.stringify({ value: VALUE })],
  ["CBOR", encode([BigInt(VALUE)])],
  ["CBOR, a decimal fraction", Buffer.concat([Buffer.of(0xc4, 0x82, 0x21), encode(BigInt(VALUE))])],
  ["CBOR, a float", encode([VALUE / 100])],
  ["64 bits", bigEndian(VALUE)],
  ["64 bits reversed", bigEndian(VALUE).reverse()],
  ["hex", VALUE.toString(16)],
  ["hex of text", Buffer.from(`${VALUE}`).toString("hex")],
  ...[0, 1, 2].flatMap((before): [string, string][] => [
    [
      `base64 of text behind ${before}`,
      Buffer.from(`${"-".repeat(before)}${VALUE}-`).toString("base64"),
    ],
    [
      `base64 of 64 bits behind ${before}`,
      Buffer.concat([Buffer.alloc(before), bigEndian(VALUE)]).toString("base64"),
    ],
  ]),
];

describe("words", () => {
  it("have no form that chance would find", () => {
    for (const { name, forms } of WORDS)
      for (const form of forms)
        expect(form.bytes.length, `${name}, ${form.name}`).toBeGreaterThanOrEqual(SHORTEST);
  });

  it("are not found in noise", () => {
    const noise = Array.from({ length: 64 }, () => ({
      ...{ ...PUBLISH, topic: READING },
      payload: randomBytes(16384),
    }));
    expect(found([...record(noise), logPiece(randomBytes(100_000).toString("hex"))])).toEqual([]);
  });
});

describe("a planted name", () => {
  it.each(TEXTS)("is found in a payload as %s", (_form, write) => {
    expect(found(sentAs(write(NAME)))).toEqual(["id, reading payload"]);
  });

  it.each(TEXTS.slice(0, -1))("that is short is found in quotes, as %s", (_form, write) => {
    expect(found(sentAs(write(SHORT)))).toEqual(["short, reading payload"]);
  });

  it("that is short is found as SenML has it", () => {
    expect(found(sentAs(encode(new Map<number, string>([[0, SHORT]]).set(1, "1"))))).toEqual([
      "short, reading payload",
    ]);
  });
});

describe("a planted name, by its place", () => {
  const connect = (fields: object) =>
    found(record([{ ...CONNECT, protocolVersion: 4, ...fields }]));
  const places: [string, string[]][] = [
    ["client id", connect({ clientId: `cf-${NAME}` })],
    ["user name", connect({ username: NAME })],
    ["password", connect({ password: Buffer.from(NAME) })],
  ];
  it.each(places)("is found in the %s", (place, hits) => {
    expect(hits).toEqual([`id, ${CONNECTION} ${place}`]);
  });

  it("is found in a topic, also of a class that there is not", () => {
    expect(found(sentAs("x", `cf/1/${NAME}/reading`))).toEqual(["id, (unknown) topic"]);
  });

  it("is found in a topic filter and in the properties of MQTT 5", () => {
    const subscriptions = [{ topic: `cf/1/${NAME}/#`, qos: 1 }];
    const subscribe = { cmd: "subscribe", messageId: 3, subscriptions };
    expect(found(record([subscribe]))).toEqual([`id, ${SUBSCRIPTION} packet`]);
    const properties = { userProperties: { owner: NAME } };
    const publish = { ...PUBLISH, topic: READING, payload: "x", properties };
    expect(found(record([publish], 5))).toEqual(["id, reading packet"]);
  });

  it("is found in the log, and where a packet is cut off", () => {
    expect(found([logPiece(`1: New client connected as cf-${NAME} (p2, c1).`)])).toEqual([
      `id, ${BROKER_LOG} log`,
    ]);
    const whole = generate({ ...PUBLISH, topic: READING, payload: `${NAME}--` } as Packet);
    const up = [whole.subarray(0, -1)];
    expect(found(piecesOf({ party: "device", up, down: [] }, new Map()))).toEqual([
      "id, (unknown) packet",
    ]);
  });
});

describe("a planted claim", () => {
  const forms: [string, Buffer | string][] = [
    ["bytes", CLAIM],
    ["digits", CLAIM.toString("hex")],
    ["base64", CLAIM.toString("base64")],
    ["base64url", CLAIM.toString("base64url")],
    ["CBOR", encode(CLAIM)],
    ["CBOR of its digits", encode(CLAIM.toString("hex"))],
    ["base64 of its digits", Buffer.from(CLAIM.toString("hex")).toString("base64")],
  ];
  it.each(forms)("is found as %s", (_form, payload) => {
    expect(found(sentAs(payload))).toEqual(["claim, reading payload"]);
  });
});

describe("a planted value", () => {
  it.each(VALUES)("is found as %s", (_form, payload) => {
    expect(found(sentAs(payload))).toEqual(["value, reading payload"]);
  });
});

describe("verdict", () => {
  const open = sentAs(`{"id":"${NAME}"}`).filter(({ messageClass }) => messageClass === "reading");
  const [, leaking] = open as [Piece, Piece];
  const waiver: Waiver = { messageClass: "reading", form: "plain", words: ["id"] };
  const verdictOf = (pieces: Piece[], waivers: Waiver[], expected = ["reading"]) =>
    judge(pieces, scan(pieces, WORDS), expected, waivers).map(({ messageClass, result, why }) => [
      messageClass,
      result,
      why,
    ]);

  it("fails for what is found and not waived", () => {
    expect(verdictOf(open, [])).toEqual([["reading", "FAIL", "found: id (text, payload)"]]);
  });

  it("waives what stands in each message, and fails where one is without it", () => {
    expect(verdictOf([leaking], [waiver])).toEqual([
      ["reading", "WAIVED", "by policy (plain): id"],
    ]);
    expect(verdictOf(open, [waiver])).toEqual([["reading", "FAIL", "waived, and not in each: id"]]);
  });

  it("fails for another word than the waived one", () => {
    const both = sentAs(`${NAME} ${VALUE}`).slice(2, 3);
    expect(verdictOf(both, [waiver])).toEqual([
      ["reading", "FAIL", "found: value (digits, payload)"],
    ]);
  });

  it("fails for a class that was never seen, and for packets that nobody knows", () => {
    expect(verdictOf([], [])).toEqual([["reading", "FAIL", "never seen"]]);
    const unknown = sentAs("x", "elsewhere").slice(2, 3);
    expect(verdictOf(unknown, [], [])).toEqual([["(unknown)", "FAIL", "nobody knows what it is"]]);
  });

  it("passes what is clean, and shows it all in a table", () => {
    const [clean] = open as [Piece];
    expect(verdictOf([clean], [])).toEqual([["reading", "PASS", ""]]);
    const table = toTable("high-security", judge([clean], [], ["reading"], []));
    expect(table).toMatch(/^TC-022, high-security\n.*\nreading +1 +\d+ {3}PASS$/);
  });
});
