/** COSE_Sign1 (RFC 9052 section 4.2), ES256 only: 18([<<{1: -7, 4: kid}>>, {}, payload, signature]). */
import type { Bytes } from "../bytes.ts";
import { cborBytes } from "../cbor.ts";
import { createReader } from "../cbor-reader.ts";
import { fail } from "../errors.ts";
import { KID_LENGTH } from "../kid.ts";
import type { CoseCrypto, KeyHandle } from "./crypto.ts";
import { createStructures } from "./structures.ts";

/** Bytes of a signed message's name: the start of SHA-256 of its Sig_structure. */
export const MESSAGE_HASH_LENGTH = 16;

/** Before the key id: {1: -7, 4: kid}. */
const PROTECTED_START = "\xa2\x01\x26\x04";

export interface Signed {
  message: Bytes;
  /** SHA-256 of the Sig_structure: names the message whatever its signature's bytes are. */
  hash: Bytes;
}

/** Signs. The payload is public: seal it first. */
export function createSign1Maker(crypto: CoseCrypto) {
  const structures = createStructures();

  return function makeSign1(key: KeyHandle, kid: Bytes, aad: Bytes, payload: Bytes): Signed {
    const protectedHeader = (PROTECTED_START + cborBytes(kid)) as Bytes;
    const structure = structures.sigStructure(protectedHeader, aad, payload);
    const message =
      "\xd2\x84" +
      cborBytes(protectedHeader) +
      "\xa0" +
      cborBytes(payload) +
      cborBytes(crypto.signMessage(key, structure));
    return { message: message as Bytes, hash: crypto.hashCompute(structure) };
  };
}

/** A Sign1 taken apart, nothing verified yet. */
export interface Sign1 {
  protectedHeader: Bytes;
  kid: Bytes;
  payload: Bytes;
  signature: Bytes;
}

/** The key id is 8 bytes, but for the class whose sender nobody knows yet (enrol-message.ts). */
export function parseSign1(message: Bytes, kidLength?: number): Sign1 {
  const reader = createReader(message);
  reader.exactly("\xd2\x84", "COSE_Sign1");
  const protectedHeader = reader.bytes();
  reader.exactly("\xa0", "unprotected header of Sign1");
  const payload = reader.bytes();
  const signature = reader.bytesOf(64);
  reader.end();
  const header = createReader(protectedHeader);
  header.exactly(PROTECTED_START, "protected header of Sign1");
  const kid = header.bytesOf(kidLength === undefined ? KID_LENGTH : kidLength);
  header.end();
  return { protectedHeader: protectedHeader, kid: kid, payload: payload, signature: signature };
}

/** SHA-256 of the Sig_structure: same hash, same message. */
export function hashSign1(crypto: CoseCrypto, sign1: Sign1, aad: Bytes): Bytes {
  return crypto.hashCompute(
    createStructures().sigStructure(sign1.protectedHeader, aad, sign1.payload),
  );
}

/** Returns when the signature is the key's; "signature" otherwise. */
export function verifySign1(crypto: CoseCrypto, sign1: Sign1, publicKey: Bytes, aad: Bytes): void {
  const structure = createStructures().sigStructure(sign1.protectedHeader, aad, sign1.payload);
  if (!crypto.verifyMessage(publicKey, structure, sign1.signature))
    fail("signature", "signature of Sign1, expected one by the key its kid names");
}
