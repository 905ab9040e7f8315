/**
 * The examples of the COSE working group (cose-wg/Examples), read where they are:
 * VECTORS, or beside the repository. Whole messages of theirs are outside the one
 * profile, so they are taken apart here and their parts given to our functions.
 */
import { createDecipheriv, createECDH, createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { agree, hkdf } from "../../../cloud/crypto/primitives.ts";
import { type Bytes, bytes, toHex } from "../../../protocol/bytes.ts";
import { USAGE_DECRYPT, USAGE_DERIVE } from "../../../protocol/cose/crypto.ts";
import { createEncryptOpener } from "../../../protocol/cose/encrypt.ts";
import {
  nonceOf,
  parseRandomIvEncrypt0,
  parseSequencedEncrypt0,
} from "../../../protocol/cose/encrypt0.ts";
import { parseSign1 } from "../../../protocol/cose/sign1.ts";
import { createStructures, RECIPIENT_PROTECTED } from "../../../protocol/cose/structures.ts";
import { decodeOracle, fromBinary, hex, Tag, toBinary } from "../../support/cbor-oracle.ts";
import { kdfContextOracle } from "../../support/cose-builder.ts";
import { importContentKey, nodeCrypto } from "../../support/parties.ts";
import { codeOf } from "../../support/refusal.ts";
import { readVectors } from "../../support/vectors.ts";

const { encStructure, sigStructure } = createStructures();

interface Key {
  x: string;
  y: string;
  d: string;
}

interface Example {
  fail?: boolean;
  input: {
    plaintext: string;
    sign0?: { key: Key; alg: string; external?: string };
    enveloped?: { recipients: { key: Key }[]; external?: string };
    encrypted?: { external?: string };
    mac?: { recipients: { key: Key }[] };
  };
  intermediates: {
    AAD_hex?: string;
    CEK_hex?: string;
    ToBeSign_hex?: string;
    recipients?: { Context_hex?: string; Secret_hex?: string; KEK_hex?: string }[];
  };
  output: { cbor: string };
}

const examples = readVectors<Example>("cose-wg");
const named = (start: string) => examples.filter(([name]) => name.startsWith(start));
const skipped = examples.length === 0;

function partsOf(example: Example): unknown[] {
  const message = decodeOracle(hex(example.output.cbor));
  return (message instanceof Tag ? message.value : message) as unknown[];
}

function pointOf(key: Key): Bytes {
  const point = [
    Buffer.from([4]),
    Buffer.from(key.x, "base64url"),
    Buffer.from(key.y, "base64url"),
  ];
  return fromBinary(Buffer.concat(point));
}

describe.skipIf(skipped)("cose-wg examples (skipped without VECTORS)", () => {
  it("are there", () => {
    expect(examples.length).toBeGreaterThanOrEqual(10);
  });

  it.each(named("sign-").concat(named("ecdsa-sig-01")))(
    "%s: Sig_structure and ES256",
    (_, example) => {
      const [header, , payload, signature] = partsOf(example) as [Buffer, unknown, Buffer, Buffer];
      const { key, external } = example.input.sign0 as NonNullable<Example["input"]["sign0"]>;
      const sent = header.equals(Buffer.from("a0", "hex")) ? Buffer.alloc(0) : header;
      const structure = sigStructure(fromBinary(sent), hex(external ?? ""), fromBinary(payload));
      const verifies = nodeCrypto.verifyMessage(pointOf(key), structure, fromBinary(signature));
      const asIntended = toHex(structure).toUpperCase() === example.intermediates.ToBeSign_hex;
      // Of the failing ones, a wrong tag leaves what is signed as it was.
      expect(verifies && asIntended).toBe(
        example.fail !== true || /^D903E6/.test(example.output.cbor),
      );
      expect(codeOf(() => parseSign1(hex(example.output.cbor)))).toBe("profile");
    },
  );

  it.each(named("aes-gcm-"))("%s: Enc_structure, nonce and A128GCM", (name, example) => {
    const [header, unprotected, ciphertext] = partsOf(example) as [
      Buffer,
      Map<number, Buffer>,
      Buffer,
    ];
    const { enveloped, encrypted, plaintext } = example.input;
    const external = hex((enveloped ?? encrypted)?.external ?? "");
    const context = enveloped === undefined ? "Encrypt0" : "Encrypt";
    const structure = encStructure(context, fromBinary(header), external);
    expect(toHex(structure).toUpperCase()).toBe(example.intermediates.AAD_hex);
    const secret = toBinary(hex(example.intermediates.CEK_hex as string));
    for (const parse of [parseRandomIvEncrypt0, parseSequencedEncrypt0])
      expect(codeOf(() => parse(hex(example.output.cbor)))).toBe("profile");
    // A192GCM: no key of this profile.
    if (secret.length !== 16) return;
    const key = importContentKey(secret, USAGE_DECRYPT);
    // The file's own "unsent IV" has the Partial IV in it already: Base IV is what is left.
    const baseIv = hex("89f52f65a1c5809300000000");
    const partialIv = unprotected.get(6);
    const nonce =
      partialIv === undefined
        ? fromBinary(unprotected.get(5) as Buffer)
        : nonceOf(baseIv, fromBinary(partialIv));
    const open = () => nodeCrypto.aeadDecrypt(key, nonce, structure, fromBinary(ciphertext));
    if (example.fail === true) expect(codeOf(open)).toBe("decrypt");
    else expect(open()).toBe(plaintext);
    expect(partialIv !== undefined).toBe(name === "aes-gcm-05.json");
  });

  it.each(named("p256-wrap-128-"))("%s: ECDH-ES + A128KW with nil identities", (_, example) => {
    const parts = partsOf(example);
    const [header, entry, wrapped] = (
      parts[parts.length - 1] as [[Buffer, Map<number, unknown>, Buffer]]
    )[0];
    const epk = entry.get(-1) as Map<number, Buffer>;
    const y = epk.get(-3) as Buffer;
    const point = Buffer.concat([Buffer.from([4]), epk.get(-2) as Buffer, y]);
    const known = example.intermediates.recipients?.[0];
    const { d } = recipientKeyOf(example);
    const own = createECDH("prime256v1");
    own.setPrivateKey(Buffer.from(d, "base64url"));

    expect(fromBinary(header)).toBe(RECIPIENT_PROTECTED);
    const context = kdfContextOracle(null, null, undefined);
    expect(toHex(context).toUpperCase()).toBe(known?.Context_hex);
    const secret = agree(own, point);
    expect(secret.toString("hex").toUpperCase()).toBe(known?.Secret_hex);
    const kek = hkdf(secret, toBinary(context));
    expect(kek.toString("hex").toUpperCase()).toBe(known?.KEK_hex);
    // The door unwraps keys of 16 bytes alone; these are of 16, 32 and 64.
    const unwrap = createDecipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
    const cek = Buffer.concat([unwrap.update(wrapped), unwrap.final()]);
    expect(cek.toString("hex").toUpperCase()).toBe(example.intermediates.CEK_hex);
    const opener = createEncryptOpener(nodeCrypto);
    expect(codeOf(() => opener.parse(hex(example.output.cbor)))).toBe("profile");
  });

  it("p256-wrap-128-01: opens through the door, from the private key to the plaintext", () => {
    const example = named("p256-wrap-128-01")[0]?.[1] as Example;
    const [header, unprotected, ciphertext, [[, entry, wrapped]]] = partsOf(example) as [
      Buffer,
      Map<number, Buffer>,
      Buffer,
      [[Buffer, Map<number, unknown>, Buffer]],
    ];
    const pem = jwkToPem(recipientKeyOf(example));
    const handle = nodeCrypto.importPrivateKey(pem, USAGE_DERIVE);
    const epk = entry.get(-1) as Map<number, Buffer>;
    const point = fromBinary(
      Buffer.concat([Buffer.from([4]), epk.get(-2) as Buffer, epk.get(-3) as Buffer]),
    );
    const context = kdfContextOracle(null, null, undefined);
    const cek = nodeCrypto.keyAgreementUnwrap(
      handle,
      point,
      context,
      fromBinary(wrapped),
      USAGE_DECRYPT,
    );
    const structure = encStructure("Encrypt", fromBinary(header), bytes(""));
    const iv = fromBinary(unprotected.get(5) as Buffer);
    expect(nodeCrypto.aeadDecrypt(cek, iv, structure, fromBinary(ciphertext))).toBe(
      example.input.plaintext,
    );
  });
});

function recipientKeyOf({ input }: Example): Key {
  const recipients = (input.enveloped ?? input.mac)?.recipients ?? [];
  return (recipients[0] as { key: Key }).key;
}

function jwkToPem({ x, y, d }: Key): string {
  const key = createPrivateKey({ key: { kty: "EC", crv: "P-256", x, y, d }, format: "jwk" });
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}
