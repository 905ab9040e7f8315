/**
 * The enrolled message, Sign1 by the registrar(Encrypt([request, certificate, time,
 * settings])): the answer to `enrol`, and to a rolled key. SPEC.md shows every byte.
 */
import type { Bytes } from "./bytes.ts";
import { cborBytes, cborInt } from "./cbor.ts";
import { createReader } from "./cbor-reader.ts";
import { createContentParts } from "./content-parts.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import type { Recipient } from "./cose/encrypt.ts";
import { MESSAGE_HASH_LENGTH, type Sign1, type Signed } from "./cose/sign1.ts";
import { createDownwardOpener, type Signer, sealDownward } from "./downward.ts";
import { fail } from "./errors.ts";
import { createUpdateReader, LAST_SETTING, type Update } from "./update-parameters.ts";
import { writeUpdate } from "./update-writer.ts";

export interface Enrolled {
  /**
   * Which request this answers: the first 16 bytes of the SHA-256 of its Sig_structure, of
   * an enrol message or of the reply `rolled`.
   */
  request: Bytes;
  /** The device's certificate, DER. */
  certificate: Bytes;
  /** The cloud's time, Unix seconds. */
  time: number;
  settings: Update;
}

/** The content's reader: the device's, and the registrar's look at what it is about to sign. */
function createContentReader() {
  const readUpdate = createUpdateReader();
  const parts = createContentParts();

  return function readContent(content: Bytes): Enrolled {
    const reader = createReader(content);
    reader.exactly("\x84", "content of enrolled");
    const request = reader.bytesOf(MESSAGE_HASH_LENGTH);
    const certificate = reader.bytes();
    if (certificate.length === 0) fail("size", "certificate, expected its bytes, got none");
    const time = parts.readTime(reader, "time of enrolled");
    const settings = readUpdate(reader, LAST_SETTING);
    reader.end();
    return { request: request, certificate: certificate, time: time, settings: settings };
  };
}

/** Makes enrolled messages, the registrar's part. Nothing is signed that a device would refuse. */
export function createEnrolledMaker(crypto: CoseCrypto) {
  const readContent = createContentReader();

  return function makeEnrolled(
    registrar: Signer,
    device: Recipient,
    enrolled: Enrolled,
    leaf: Bytes | undefined,
  ): Signed {
    const content = ("\x84" +
      cborBytes(enrolled.request) +
      cborBytes(enrolled.certificate) +
      cborInt(enrolled.time) +
      writeUpdate(enrolled.settings)) as Bytes;
    readContent(content);
    return sealDownward(crypto, "enrolled", registrar, device, content, leaf);
  };
}

/** The device's part: `parse`, check the leaf or take the stored one, then `open` with its key. */
export function createEnrolledOpener(crypto: CoseCrypto) {
  const downward = createDownwardOpener(crypto, "enrolled");
  const readContent = createContentReader();

  /** Verifies first: nothing of the payload is looked at before the signature is the registrar's. */
  function open(
    sign1: Sign1,
    device: { key: KeyHandle; thumbprint: Bytes },
    registrarPublicKey: Bytes,
  ): Enrolled {
    const registrar = downward.verify(sign1, device.thumbprint, registrarPublicKey);
    const content = downward.decrypt(sign1.payload, device, registrar);
    return readContent(content);
  }

  return { parse: downward.parse, open: open };
}
