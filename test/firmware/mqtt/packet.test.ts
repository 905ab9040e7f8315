import type { Packet } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createHandshake } from "../../../firmware/mqtt/handshake.ts";
import type { ServerPacket } from "../../../firmware/mqtt/packet.ts";
import {
  CONNACK,
  encodeAck,
  encodePublish,
  MAX_PACKET,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE_ID,
} from "../../../firmware/mqtt/packet.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { decodeAll } from "../../support/mqtt-decode.ts";
import { fromOracle, oracle } from "../../support/mqtt-oracle.ts";

const { connect: encodeConnect, subscribe: encodeSubscribe } = createHandshake();

/** A packet as we should read it: what is not named is 0 or empty. */
function read(size: number, fields: Partial<ServerPacket>): ServerPacket {
  return { type: 0, qos: 0, packetId: 0, topic: "", payload: "" as Bytes, ...fields, size };
}

/** One of each packet that a server sends, as the oracle writes it, and its fields. */
const payload = "\x00\xff\xa2payload" as Bytes;
const samples: [Packet, Partial<ServerPacket>][] = [
  [
    { cmd: "connack", returnCode: 0, sessionPresent: true },
    { type: CONNACK, payload: "\x01\x00" as Bytes },
  ],
  [
    { cmd: "connack", returnCode: 5, sessionPresent: false },
    { type: CONNACK, payload: "\x00\x05" as Bytes },
  ],
  ...([0, 1, 2] as const).map((qos): [Packet, Partial<ServerPacket>] => [
    {
      cmd: "publish",
      topic: "cf/1/0123456789abcdef/receipt",
      payload: Buffer.from(payload, "latin1"),
      qos,
      dup: qos > 0,
      retain: qos === 1,
      messageId: 0x1234,
    },
    {
      type: PUBLISH,
      topic: "cf/1/0123456789abcdef/receipt",
      payload,
      qos,
      packetId: qos > 0 ? 0x1234 : 0,
    },
  ]),
  [
    { cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false },
    { type: PUBLISH, topic: "t" },
  ],
  [
    { cmd: "puback", messageId: 1 },
    { type: PUBACK, packetId: 1 },
  ],
  [
    { cmd: "pubrec", messageId: 255 },
    { type: PUBREC, packetId: 255 },
  ],
  [
    { cmd: "pubrel", messageId: 256 },
    { type: PUBREL, packetId: 256 },
  ],
  [
    { cmd: "pubcomp", messageId: 65535 },
    { type: PUBCOMP, packetId: 65535 },
  ],
  [
    { cmd: "suback", messageId: 7, granted: [0, 1, 2, 128] },
    { type: SUBACK, packetId: 7, payload: "\x00\x01\x02\x80" as Bytes },
  ],
  [{ cmd: "pingresp" }, { type: PINGRESP }],
];
const written = samples.map(([packet]) => fromOracle(packet));
const stream = written.join("");
const expected = samples.map(([, fields], i) => read((written[i] as string).length, fields));

describe("encode, read by mqtt-packet", () => {
  it("connect with and without credentials", () => {
    const plain = encodeConnect("cf-01", 300, {}, false);
    expect(oracle(plain)).toMatchObject({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: false,
      clientId: "cf-01",
      keepalive: 300,
    });
    expect(oracle(plain).username).toBeUndefined();
    const named = oracle(encodeConnect("c", 0, { username: "u" }, false));
    expect(named).toMatchObject({ clean: false, keepalive: 0, username: "u" });
    expect(named.password).toBeUndefined();
    const full = oracle(
      encodeConnect("c", 65535, { username: "user", password: "\xff\x00secret" }, true),
    );
    expect(full).toMatchObject({ clean: true, username: "user", keepalive: 65535 });
    expect(full.password).toEqual(Buffer.from("\xff\x00secret", "latin1"));
  });

  it("ignores a password without a username, which the standard forbids", () => {
    expect(oracle(encodeConnect("c", 1, { password: "p" }, true)).password).toBeUndefined();
  });

  it("publish of every length class, qos and dup", () => {
    for (const length of [0, 1, 100, 116, 117, 118, 127, 128, 4096, 16375, 16384])
      for (const qos of [0, 1, 2] as const) {
        const body = "\xfe".repeat(length) as Bytes;
        const packet = oracle(encodePublish("cf/1/x", body, qos, 40000, qos > 0));
        expect(packet).toMatchObject({ cmd: "publish", topic: "cf/1/x", qos, dup: qos > 0 });
        expect((packet.payload as Buffer).toString("latin1")).toBe(body);
        expect(packet.messageId).toBe(qos === 0 ? undefined : 40000);
        expect(packet.retain).toBe(false);
      }
  });

  it("acknowledgements, subscribe and pingreq", () => {
    expect(encodeAck(PUBACK, 1)).toBe(fromOracle({ cmd: "puback", messageId: 1 }));
    expect(encodeAck(PUBREC, 256)).toBe(fromOracle({ cmd: "pubrec", messageId: 256 }));
    expect(encodeAck(PUBREL, 515)).toBe(fromOracle({ cmd: "pubrel", messageId: 515 }));
    expect(encodeAck(PUBCOMP, 65535)).toBe(fromOracle({ cmd: "pubcomp", messageId: 65535 }));
    expect(PINGREQ).toBe(fromOracle({ cmd: "pingreq" }));
    for (const maxQos of [1, 2] as const) {
      const subscribe = encodeSubscribe(
        [
          { topicFilter: "cf/1/+/receipt", qos: 1 },
          { topicFilter: "cf/1/cloud", qos: 2 },
        ],
        maxQos,
      );
      expect(oracle(subscribe)).toMatchObject({
        cmd: "subscribe",
        messageId: SUBSCRIBE_ID,
        subscriptions: [
          { topic: "cf/1/+/receipt", qos: 1 },
          { topic: "cf/1/cloud", qos: maxQos },
        ],
      });
    }
  });

  it("refuses a string that its length cannot hold", () => {
    const clientId = "x".repeat(65536);
    expect(() => encodeConnect(clientId, 1, {}, false)).toThrowError(
      expect.objectContaining({ code: "size" }),
    );
  });
});

describe("decode what mqtt-packet writes", () => {
  it("all packets in one piece", () => {
    expect(decodeAll([stream])).toEqual(expected);
  });

  it("cut in two at every byte", () => {
    for (let cut = 0; cut <= stream.length; cut++)
      expect(decodeAll([stream.slice(0, cut), stream.slice(cut)])).toEqual(expected);
  });

  it("in pieces of every size", () => {
    for (let size = 1; size < 40; size++) {
      const chunks: string[] = [];
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.slice(at, at + size));
      expect(decodeAll(chunks)).toEqual(expected);
    }
  });

  it("a packet of exactly MAX_PACKET bytes, and a padded remaining length", () => {
    const largest = encodePublish("t", "x".repeat(MAX_PACKET - 6) as Bytes, 0, 0, false);
    expect(largest).toHaveLength(MAX_PACKET);
    expect(decodeAll([largest])).toHaveLength(1);
    expect(decodeAll(["\x40\x82\x80\x80\x00\x00\x01"])).toEqual([
      read(7, { type: PUBACK, packetId: 1 }),
    ]);
  });
});
