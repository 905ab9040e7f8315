import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_ENCRYPT,
} from "../../../protocol/cose/crypto.ts";
import {
  createEncryptMaker,
  createEncryptOpener,
  type Envelope,
  MAX_RECIPIENTS,
} from "../../../protocol/cose/encrypt.ts";
import { createHeaders } from "../../../protocol/cose/encrypt0.ts";
import {
  decodeOracle,
  encodeOracle,
  fromBinary,
  hex,
  type Tag,
  toBinary,
} from "../../support/cbor-oracle.ts";
import { gcm } from "../../support/cose-builder.ts";
import { type OracleRecipient, openEncryptByHand } from "../../support/cose-reader.ts";
import {
  importContentKey,
  makeParty,
  nodeCrypto,
  openDevice,
  type TestDevice,
} from "../../support/parties.ts";
import { codeOf } from "../../support/refusal.ts";

const cloud = makeParty();
const kid = hex("0102");
const prefix = bytes("prefix");
const opener = createEncryptOpener(nodeCrypto);
let device: TestDevice;
let envelope: Envelope;
let carried: KeyHandle;

beforeAll(() => {
  device = openDevice();
  envelope = {
    messageClass: "session",
    deviceThumbprint: device.thumbprint,
    senderThumbprint: device.thumbprint,
  };
  carried = device.crypto.generateKey(USAGE_CARRIED | USAGE_ENCRYPT);
});
afterAll(() => {
  device.close();
});

function make(recipients: { publicKey: Bytes; thumbprint: Bytes }[]): Bytes {
  return createEncryptMaker(device.crypto)(
    createHeaders().content(kid),
    envelope,
    recipients,
    prefix,
    carried,
  );
}

describe("an Encrypt", () => {
  it("is deterministic CBOR of the one form, recipients in order", () => {
    const clouds = [cloud, makeParty(), makeParty()];
    const message = make(clouds);
    expect(encodeOracle(decodeOracle(message))).toBe(message);
    const { tag, value } = decodeOracle(message) as Tag & { tag: number };
    const [header, unprotected, , recipients] = value as [
      Buffer,
      Map<number, Buffer>,
      Buffer,
      OracleRecipient[],
    ];
    expect(tag).toBe(96);
    expect(header).toEqual(Buffer.from("a2010104420102", "hex"));
    expect([...unprotected.keys()]).toEqual([5]);
    for (const [i, each] of recipients.entries()) {
      expect(each[0]).toEqual(Buffer.from("a101381c", "hex"));
      expect(fromBinary(each[1].get(4) as Buffer)).toBe(clouds[i]?.kid);
      expect([...(each[1].get(-1) as Map<number, unknown>).keys()]).toEqual([1, -1, -2, -3]);
    }
  });

  it("is opened by node:crypto alone: prefix, then the carried key", () => {
    const clouds = [cloud, makeParty()];
    const message = make(clouds);
    const opened = clouds.map((each, i) =>
      openEncryptByHand(message, "session", device.thumbprint, each, i),
    );
    expect(opened[0]).toEqual(opened[1]);
    expect(opened[0]?.subarray(0, -16).toString("latin1")).toBe(prefix);
    const nonce = Buffer.alloc(12);
    const sealed = device.crypto.aeadEncrypt(carried, fromBinary(nonce), bytes(""), bytes("x"));
    expect(fromBinary(gcm(opened[0]?.subarray(-16) as Buffer, nonce, bytes(""), bytes("x")))).toBe(
      sealed,
    );
  });

  it("has a fresh content key, IV and ephemeral key each time", () => {
    const first = opener.parse(make([cloud]));
    const second = opener.parse(make([cloud]));
    expect(first.iv).not.toBe(second.iv);
    expect(first.recipients[0]?.ephemeralPublicKey).not.toBe(
      second.recipients[0]?.ephemeralPublicKey,
    );
    expect(first.recipients[0]?.wrapped).not.toBe(second.recipients[0]?.wrapped);
  });

  it("costs 86 bytes for each recipient", () => {
    const clouds = [cloud, makeParty(), makeParty(), makeParty()];
    expect(clouds).toHaveLength(MAX_RECIPIENTS);
    for (let count = 2; count <= MAX_RECIPIENTS; count++)
      expect(make(clouds.slice(0, count)).length - make(clouds.slice(0, count - 1)).length).toBe(
        86,
      );
  });

  it("unwraps into the content key for the recipient that is named, and for no other", () => {
    const encrypt = opener.parse(make([makeParty(), cloud]));
    const cek = opener.unwrap(encrypt, envelope, cloud, USAGE_DECRYPT);
    expect(
      codeOf(() => nodeCrypto.aeadDecrypt(cek, encrypt.iv, bytes(""), encrypt.ciphertext)),
    ).toBe("decrypt");
    expect(codeOf(() => opener.unwrap(encrypt, envelope, makeParty(), USAGE_DECRYPT))).toBe("kid");
    const otherSender = { ...envelope, senderThumbprint: cloud.thumbprint };
    expect(codeOf(() => opener.unwrap(encrypt, otherSender, cloud, USAGE_DECRYPT))).toBe("decrypt");
    const otherClass = { ...envelope, messageClass: "reading" as const };
    expect(codeOf(() => opener.unwrap(encrypt, otherClass, cloud, USAGE_DECRYPT))).toBe("decrypt");
  });

  it("leaves no content key behind when it cannot be made", () => {
    const offCurve = { ...cloud, publicKey: `${cloud.publicKey.slice(0, 64)}\0` as Bytes };
    // More often than the module has slots.
    for (let i = 0; i < 20; i++) expect(codeOf(() => make([cloud, offCurve]))).toBe("argument");
    expect(codeOf(() => make([cloud]))).toBe("none");
  });
});

describe("any bytes at all", () => {
  it("are taken apart, or refused with cbor, form, profile, size or sequence", () => {
    const message = make([cloud]);
    const noise = fc.uint8Array({ maxLength: 60 }).map(fromBinary);
    const spliced = fc
      .tuple(fc.nat(message.length), fc.uint8Array({ maxLength: 9 }), fc.nat(9))
      .map(([at, put, cut]) => message.slice(0, at) + fromBinary(put) + message.slice(at + cut));
    const near = noise.map((rest) => message.slice(0, 3) + rest);
    fc.assert(
      fc.property(fc.oneof(noise, spliced, near), (value) => {
        expect(["none", "cbor", "form", "profile", "size", "sequence"]).toContain(
          codeOf(() => opener.parse(value as Bytes)),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe("importContentKey of the tests", () => {
  it("is the key it was given", () => {
    const secret = Buffer.alloc(16, 7);
    const key = importContentKey(secret, USAGE_ENCRYPT);
    const sealed = nodeCrypto.aeadEncrypt(key, "n".repeat(12) as Bytes, bytes("a"), bytes("p"));
    expect(toBinary(sealed)).toEqual(
      gcm(secret, Buffer.from("n".repeat(12)), bytes("a"), bytes("p")),
    );
  });
});
