import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import {
  type CoseCrypto,
  USAGE_CARRIED,
  USAGE_ENCRYPT,
  USAGE_WRAP,
} from "../../protocol/cose/crypto.ts";
import { hashSign1, parseSign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { createEventMaker, createEventOpener } from "../../protocol/event-message.ts";
import { createSenmlMaker } from "../../protocol/senml.ts";
import { createSessionOpener } from "../../protocol/session-message.ts";
import { CLASSES } from "../../protocol/topics.ts";
import { decodeOracle, encodeOracle, type Tag } from "../support/cbor-oracle.ts";
import { buildEvent } from "../support/cose-builder.ts";
import { openEncryptByHand } from "../support/cose-reader.ts";
import { makeParty, nodeCrypto, openDevice, type TestDevice } from "../support/parties.ts";
import { codeOf, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";

const { externalAad } = createStructures();

/** [{0: "door", 4: true}]: no uptime, no time. */
const DOOR = bytes("\x81\xa2\x00\x64door\x04\xf5");

const cloud = makeParty();
const open = createEventOpener(nodeCrypto);
let device: TestDevice;

beforeAll(() => {
  device = openDevice();
});
afterAll(() => {
  device.close();
});

function make(counter = 7, pack: Bytes = DOOR, recipients = [cloud]) {
  return createEventMaker(device.crypto)(device, recipients, counter, pack);
}

describe("an event", () => {
  it("gives the cloud the device's counter and pack", () => {
    const { message } = make(device.crypto.nextDeviceCounter());
    expect(open(parseSign1(message), device, cloud)).toEqual({
      counter: 1,
      pack: DOOR,
      records: [{ name: "door", unit: undefined, value: true, time: undefined }],
    });
  });

  it.each([1, 23, 24, 255, 256, 65536, 2 ** 32 - 1])("carries counter %i", (counter) => {
    expect(open(parseSign1(make(counter).message), device, cloud).counter).toBe(counter);
  });

  it("carries what a sensor's maker makes, dated or not", () => {
    const makeSenml = createSenmlMaker([{ name: "level", unit: "m", exponent: -2 }]);
    const time = 1_800_000_000;
    for (const [instant, names] of [
      [{ time, uptime: 5 }, ["level"]],
      [{ time: undefined, uptime: 5 }, ["level", "uptime"]],
    ] as const) {
      const { message } = make(7, makeSenml([-314], instant, 0));
      const { records } = open(parseSign1(message), device, cloud);
      expect(records.map(({ name }) => name)).toEqual(names);
      expect(records[0]).toMatchObject({ value: -3.14, time: instant.time });
    }
  });

  it("is named by the hash of its Sig_structure, whatever its signature", () => {
    const { message, hash } = make();
    const sign1 = parseSign1(message);
    const aad = externalAad("event", device.thumbprint);
    expect(hashSign1(nodeCrypto, sign1, aad)).toBe(hash);
    expect(hashSign1(nodeCrypto, { ...sign1, signature: "other" as Bytes }, aad)).toBe(hash);
    expect(hash).toHaveLength(32);
  });

  it("is another message each time, even of the same counter and pack", () => {
    const [first, second] = [make(), make()];
    expect(second.hash).not.toBe(first.hash);
  });

  it("takes 214 bytes around its pack, and as many more as its counter's CBOR", () => {
    for (const [counter, more] of [
      [23, 0],
      [24, 1],
      [256, 2],
      [65536, 4],
    ] as const)
      expect(make(counter).message.length).toBe(214 + DOOR.length + more);
  });

  it("takes one byte more once its pack is longer than 126", () => {
    for (const [length, more] of [
      [126, 0],
      [127, 1],
    ] as const)
      expect(make(7, "\0".repeat(length) as Bytes).message.length).toBe(214 + length + more);
  });

  it("is deterministic CBOR, its content opened by node:crypto alone", () => {
    const { message } = make(258);
    expect(encodeOracle(decodeOracle(message))).toBe(message);
    const { payload } = parseSign1(message);
    const [header] = (decodeOracle(payload) as Tag).value as [Buffer];
    expect(header).toEqual(Buffer.from("a10101", "hex"));
    const content = openEncryptByHand(payload, "event", device.thumbprint, cloud, 0);
    expect(decodeOracle(content.toString("latin1") as Bytes)).toEqual([
      258,
      [
        new Map<number, unknown>([
          [0, "door"],
          [4, true],
        ]),
      ],
    ]);
  });

  it("is taken as the other implementation makes it", () => {
    const party = makeParty();
    const { message } = buildEvent(party, [cloud], 65536);
    const { counter, pack } = open(parseSign1(message), party, cloud);
    expect([counter, pack]).toEqual([65536, DOOR]);
  });
});

describe("the content key of an event", () => {
  it("never wraps, is never used twice, and is gone afterwards", () => {
    const usages: number[] = [];
    const live = new Set<unknown>();
    const crypto: CoseCrypto = {
      ...device.crypto,
      generateKey(usage) {
        const key = device.crypto.generateKey(usage);
        usages.push(usage);
        live.add(key);
        return key;
      },
      destroyKey(key) {
        device.crypto.destroyKey(key);
        live.delete(key);
      },
    };
    createEventMaker(crypto)(device, [cloud], 7, DOOR);
    expect(usages).toEqual([USAGE_ENCRYPT | USAGE_CARRIED]);
    expect((usages[0] as number) & USAGE_WRAP).toBe(0);
    expect(live.size).toBe(0);
  });

  it("is not left behind when the message cannot be made", () => {
    const offCurve = { ...cloud, publicKey: `${cloud.publicKey.slice(0, 64)}\0` as Bytes };
    // More often than the module has slots.
    for (let i = 0; i < 20; i++) expect(codeOf(() => make(7, DOOR, [offCurve]))).toBe("argument");
    for (const count of [0, 5]) {
      const clouds = Array.from({ length: count }, () => cloud);
      expect(codeOf(() => make(7, DOOR, clouds))).toBe("size");
    }
    expect(codeOf(() => make())).toBe("none");
  });
});

describe("several recipients", () => {
  it("open the same event, and nobody else", () => {
    const clouds = [cloud, makeParty(), makeParty(), makeParty()];
    const { message } = make(7, DOOR, clouds);
    expect(message.length).toBeLessThanOrEqual(CLASSES.event.limit);
    for (const each of clouds) expect(open(parseSign1(message), device, each).counter).toBe(7);
    expect(codeOf(() => open(parseSign1(message), device, makeParty()))).toBe("kid");
  });
});

describe("refusals", () => {
  it("refuses every single-bit flip", () => {
    const { message } = make();
    const codes = flipEveryBit(message, (flipped) => open(parseSign1(flipped), device, cloud));
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
  });

  it("refuses every truncation and every byte more", () => {
    const { message } = make();
    for (let length = 0; length < message.length; length++) {
      const cut = message.slice(0, length) as Bytes;
      expect(MESSAGE_CODES).toContain(codeOf(() => open(parseSign1(cut), device, cloud)));
    }
    expect(codeOf(() => parseSign1(`${message}\0` as Bytes))).toBe("cbor");
  });

  it("refuses another device's event by its kid, and by its signature were the kid another", () => {
    const sign1 = parseSign1(make().message);
    const other = makeParty();
    expect(codeOf(() => open(sign1, other, cloud))).toBe("kid");
    expect(codeOf(() => open({ ...sign1, kid: other.kid }, other, cloud))).toBe("signature");
  });

  it("is no session message: its class is signed", () => {
    const openSession = createSessionOpener(nodeCrypto);
    expect(codeOf(() => openSession(parseSign1(make().message), device, cloud))).toBe("signature");
  });
});
