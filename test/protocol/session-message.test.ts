import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, fromBigEndian } from "../../protocol/bytes.ts";
import { NONCE_LENGTH, parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { hashSign1, parseSign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { createReadingSealer, openReading } from "../../protocol/reading.ts";
import { createSessionMaker, createSessionOpener } from "../../protocol/session-message.ts";
import { CLASSES } from "../../protocol/topics.ts";
import { fromBinary } from "../support/cbor-oracle.ts";
import { buildSession, gcm, type SessionChanges, signOracle } from "../support/cose-builder.ts";
import {
  makeParty,
  nodeCrypto,
  openDevice,
  type Party,
  type TestDevice,
} from "../support/parties.ts";
import { codeOf, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";

const { externalAad } = createStructures();

const cloud = makeParty();
const open = createSessionOpener(nodeCrypto);
let device: TestDevice;

beforeAll(() => {
  device = openDevice();
});
afterAll(() => {
  device.close();
});

/** The message under a device counter of the test's choice. */
function makeSession(recipients: Party[] = [cloud], counter = device.crypto.nextDeviceCounter()) {
  const session = createSessionMaker(device.crypto)(device, recipients, counter);
  const seal = createReadingSealer(device.crypto, session, device.thumbprint);
  return { ...session, seal, close: () => device.crypto.destroyKey(session.key) };
}

describe("a session message", () => {
  it("gives the cloud the device's key, Base IV and counter", () => {
    const made = makeSession();
    const session = open(parseSign1(made.message), device, cloud);
    expect(session.kid).toBe(made.kid);
    expect(session.counter).toBe(fromBigEndian(made.kid));
    expect(session.baseIv).toBe(device.crypto.exportBaseIv(made.key));
    const reading = made.seal(device.crypto.reserveSequence(made.key), "payload" as Bytes);
    const opened = openReading(
      nodeCrypto,
      session,
      device.thumbprint,
      parseSequencedEncrypt0(reading),
    );
    expect(opened).toBe("payload");
    made.close();
  });

  it("is named by the hash of its Sig_structure, whatever its signature", () => {
    const made = makeSession();
    const sign1 = parseSign1(made.message);
    const aad = externalAad("session", device.thumbprint);
    expect(hashSign1(nodeCrypto, sign1, aad)).toBe(made.hash);
    expect(hashSign1(nodeCrypto, { ...sign1, signature: "other" as Bytes }, aad)).toBe(made.hash);
    expect(made.hash).toHaveLength(32);
    made.close();
  });

  it("has a new counter, key, Base IV and bytes each time", () => {
    const first = makeSession();
    const second = makeSession();
    expect(fromBigEndian(second.kid)).toBe(fromBigEndian(first.kid) + 1);
    expect(device.crypto.exportBaseIv(second.key)).not.toBe(device.crypto.exportBaseIv(first.key));
    expect(second.message).not.toBe(first.message);
    first.close();
    second.close();
  });

  it.each([
    [1, 255],
    [255, 255],
    [256, 257],
    [65535, 257],
    [65536, 259],
    [16777216, 261],
    [4294967295, 261],
  ])("takes, with counter %i, %i bytes: the counter stands in it twice", (counter, length) => {
    const made = makeSession([cloud], counter);
    expect(made.message.length).toBe(length);
    expect(open(parseSign1(made.message), device, cloud).counter).toBe(counter);
    made.close();
  });

  it("is taken as the other implementation makes it", () => {
    const party = makeParty();
    const built = buildSession(party, [cloud]);
    const session = open(parseSign1(built.message), party, cloud);
    expect(session.baseIv).toBe(fromBinary(built.baseIv));
    expect(session.counter).toBe(7);
  });
});

describe("several recipients", () => {
  it.each([2, 3, 4])("%i open the same session", (count) => {
    const clouds = Array.from({ length: count }, () => makeParty());
    const made = makeSession(clouds);
    expect(made.message.length).toBeLessThanOrEqual(CLASSES.session.limit);
    for (const each of clouds)
      expect(open(parseSign1(made.message), device, each).baseIv).toBe(
        device.crypto.exportBaseIv(made.key),
      );
    expect(codeOf(() => open(parseSign1(made.message), device, cloud))).toBe("kid");
    made.close();
  });

  it("refuses to make a message for none or for five, and keeps no key", () => {
    for (const count of [0, 5]) {
      const clouds = Array.from({ length: count }, () => cloud);
      // More often than the module has slots: a key left behind would be noticed.
      for (let i = 0; i < 20; i++) expect(codeOf(() => makeSession(clouds, 1))).toBe("size");
    }
  });

  it("refuses five that another implementation makes", () => {
    const party = makeParty();
    const built = buildSession(party, [cloud, cloud, cloud, cloud, cloud]);
    expect(codeOf(() => open(parseSign1(built.message), party, cloud))).toBe("size");
  });
});

describe("the implied variant", () => {
  const party = makeParty();
  const implied: SessionChanges = { plaintext: () => undefined };

  it("makes the content key the session key and its IV the Base IV", () => {
    const built = buildSession(party, [cloud], implied);
    const session = open(parseSign1(built.message), party, cloud);
    expect(session.baseIv).toBe(fromBinary(built.iv));
    const nonce = Buffer.alloc(NONCE_LENGTH, 1);
    const ciphertext = fromBinary(gcm(built.cek, nonce, "" as Bytes, "x" as Bytes));
    expect(nodeCrypto.aeadDecrypt(session.key, fromBinary(nonce), "" as Bytes, ciphertext)).toBe(
      "x",
    );
  });

  it("is refused when its tag does not verify", () => {
    const flipTag = (parts: unknown[]) => {
      const tag = Buffer.from(parts[2] as Buffer);
      tag[0] = (tag[0] as number) ^ 1;
      return [parts[0], parts[1], tag, parts[3]];
    };
    const built = buildSession(party, [cloud], { ...implied, encrypt: flipTag });
    expect(codeOf(() => open(parseSign1(built.message), party, cloud))).toBe("decrypt");
  });
});

describe("refusals", () => {
  it("refuses every single-bit flip", () => {
    const made = makeSession([cloud], 256);
    expect(codeOf(() => open(parseSign1(made.message), device, cloud))).toBe("none");
    const codes = flipEveryBit(made.message, (flipped) => open(parseSign1(flipped), device, cloud));
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
    made.close();
  });

  it("refuses every truncation and every byte more", () => {
    const { message, close } = makeSession();
    for (let length = 0; length < message.length; length++) {
      const cut = message.slice(0, length) as Bytes;
      expect(MESSAGE_CODES).toContain(codeOf(() => open(parseSign1(cut), device, cloud)));
    }
    const longer = `${message}\0` as Bytes;
    expect(codeOf(() => parseSign1(longer))).toBe("cbor");
    close();
  });

  it("takes (r, n - s) as the same message: the hash does not name the signature", () => {
    const made = makeSession();
    const sign1 = parseSign1(made.message);
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const s = BigInt(`0x${Buffer.from(sign1.signature.slice(32), "latin1").toString("hex")}`);
    const twin = Buffer.from((order - s).toString(16).padStart(64, "0"), "hex");
    const message = (made.message.slice(0, -32) + fromBinary(twin)) as Bytes;
    const other = parseSign1(message);
    expect(message).not.toBe(made.message);
    expect(open(other, device, cloud).kid).toBe(made.kid);
    expect(hashSign1(nodeCrypto, other, externalAad("session", device.thumbprint))).toBe(made.hash);
    made.close();
  });

  it("refuses another device's message by its kid, and by its signature were the kid another", () => {
    const made = makeSession();
    const other = makeParty();
    expect(codeOf(() => open(parseSign1(made.message), other, cloud))).toBe("kid");
    const sign1 = { ...parseSign1(made.message), kid: other.kid };
    expect(codeOf(() => open(sign1, other, cloud))).toBe("signature");
    made.close();
  });

  it("refuses a kid that is not the signer's, even signed by it", () => {
    const party = makeParty();
    const stranger = makeParty();
    const signHeader = (header: Map<number, unknown>) =>
      new Map(header).set(4, Buffer.from(stranger.kid, "latin1"));
    const { message } = buildSession(party, [cloud], { signHeader });
    expect(codeOf(() => open(parseSign1(message), party, cloud))).toBe("kid");
  });

  it("refuses a signature over anything else", () => {
    const party = makeParty();
    const sign1 = parseSign1(buildSession(party, [cloud]).message);
    const signature = fromBinary(signOracle(party, "other" as Bytes));
    expect(codeOf(() => open({ ...sign1, signature }, party, cloud))).toBe("signature");
    const zeros = "\0".repeat(64) as Bytes;
    expect(codeOf(() => open({ ...sign1, signature: zeros }, party, cloud))).toBe("signature");
  });
});
