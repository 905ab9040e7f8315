/**
 * The enrol message, Sign1(Encrypt([device counter, CSR, device id, user id, claim])): a
 * device asks for its certificate. SPEC.md shows every byte.
 *
 * Nobody knows the device's key yet. So the key id of its Sign1 is the whole thumbprint,
 * which external_aad and KDF need, and the key itself comes out of the CSR.
 */
import type { Bytes } from "./bytes.ts";
import { cborBytes, cborInt } from "./cbor.ts";
import { createReader, type Reader } from "./cbor-reader.ts";
import { createContentParts } from "./content-parts.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import type { Recipient } from "./cose/encrypt.ts";
import { hashSign1, parseSign1, type Sign1, type Signed } from "./cose/sign1.ts";
import { createStructures } from "./cose/structures.ts";
import { fail } from "./errors.ts";
import { kidOf, thumbprintOf } from "./kid.ts";
import { createUpwardOpener, makeUpward } from "./upward.ts";

/** Bytes of a one-time claim: it cannot be guessed. */
export const CLAIM_LENGTH = 16;

/** Longest CSR: the device's own has at most 190 bytes. */
export const CSR_LENGTH = 256;

/** Bytes of the thumbprint that is the key id here. */
const THUMBPRINT_LENGTH = 32;

/** What a device says when it enrols. */
export interface Enrolment {
  /** PKCS #10, DER. */
  csr: Bytes;
  /** UTF-8, 1 to 64 bytes, printable; so is the user id. */
  deviceId: Bytes;
  userId: Bytes;
  /** undefined where the key was registered before. */
  claim: Bytes | undefined;
}

/**
 * Makes enrol messages, the device's part. The counter is one that nextDeviceCounter has
 * just given; the bytes are kept and sent again, never made again.
 */
export function createEnrolMaker(crypto: CoseCrypto) {
  const parts = createContentParts();

  return function makeEnrol(
    device: { key: KeyHandle; thumbprint: Bytes },
    recipients: Recipient[],
    counter: number,
    enrolment: Enrolment,
  ): Signed {
    const claim = enrolment.claim;
    if (claim !== undefined && claim.length !== CLAIM_LENGTH)
      fail("size", "claim, expected " + CLAIM_LENGTH + " bytes, got " + claim.length);
    const content =
      "\x85" +
      cborInt(counter) +
      cborBytes(enrolment.csr) +
      parts.writeId(enrolment.deviceId, "device id") +
      parts.writeId(enrolment.userId, "user id") +
      cborBytes(claim === undefined ? ("" as Bytes) : claim);
    return makeUpward(crypto, "enrol", device, device.thumbprint, recipients, content as Bytes);
  };
}

/** An enrol message as the registrar opens it. The CSR's own signature and the claim are still to be checked. */
export interface OpenedEnrol extends Enrolment {
  counter: number;
  /** The key that asks: the CSR's, and the one that signed the message. */
  publicKey: Bytes;
  thumbprint: Bytes;
  /** SHA-256 of the Sig_structure. */
  hash: Bytes;
}

/** The registrar's part. `readCsrKey` gives the P-256 point (65 bytes) of a CSR, or throws. */
export function createEnrolOpener(crypto: CoseCrypto, readCsrKey: (csr: Bytes) => Bytes) {
  const upward = createUpwardOpener(crypto, "enrol");
  const parts = createContentParts();

  /** The form alone: its key id is the sender's whole thumbprint, which it still has to prove. */
  function parse(message: Bytes): Sign1 {
    return parseSign1(message, THUMBPRINT_LENGTH);
  }

  function hash(sign1: Sign1): Bytes {
    return hashSign1(crypto, sign1, createStructures().externalAad("enrol", sign1.kid));
  }

  function readClaim(reader: Reader): Bytes | undefined {
    const claim = reader.bytes();
    if (claim.length === 0) return undefined;
    if (claim.length !== CLAIM_LENGTH)
      fail("size", "claim, expected " + CLAIM_LENGTH + " bytes or none, got " + claim.length);
    return claim;
  }

  /**
   * Opens, takes the key out of the CSR, and accepts it when its thumbprint is the key id
   * and the signature of the message is its own. "kid" when the topic is another device's.
   */
  function open(
    sign1: Sign1,
    topicKid: Bytes,
    self: { key: KeyHandle; thumbprint: Bytes },
  ): OpenedEnrol {
    if (kidOf(sign1.kid) !== topicKid)
      fail("kid", "enrol, expected the thumbprint of its topic's device, got another");
    const content = upward.decrypt(sign1.payload, sign1.kid, self);
    const reader = createReader(content);
    reader.exactly("\x85", "content of enrol");
    const counter = parts.readDeviceCounter(reader);
    const csr = reader.bytes();
    if (csr.length < 1 || csr.length > CSR_LENGTH)
      fail("size", "CSR, expected 1 to " + CSR_LENGTH + " bytes, got " + csr.length);
    const publicKey = readCsrKey(csr);
    if (thumbprintOf(crypto, publicKey) !== sign1.kid)
      fail("kid", "CSR, expected the key whose thumbprint signs, got another");
    upward.verify(sign1, { publicKey: publicKey, thumbprint: sign1.kid });
    const deviceId = parts.readId(reader, "device id");
    const userId = parts.readId(reader, "user id");
    const claim = readClaim(reader);
    reader.end();
    return {
      counter: counter,
      csr: csr,
      deviceId: deviceId,
      userId: userId,
      claim: claim,
      publicKey: publicKey,
      thumbprint: sign1.kid,
      hash: hash(sign1),
    };
  }

  return { parse: parse, hash: hash, open: open };
}
