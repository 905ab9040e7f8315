/**
 * A reading: Encrypt0 under the session key, its Partial IV the sequence number
 * that is nonce, order and replay protection in one.
 */
import { type Bytes, chars, toBigEndian } from "./bytes.ts";
import { cborBytes } from "./cbor.ts";
import type { CoseCrypto, KeyHandle, SessionCrypto } from "./cose/crypto.ts";
import { nonceOf, type SequencedEncrypt0 } from "./cose/encrypt0.ts";
import { createStructures } from "./cose/structures.ts";

/**
 * Seals the readings of one session. What is the same in each of them is made
 * here, once; a reading is then a few concatenations and one native call.
 *
 * The sequence number must have just been reserved with `reserveSequence`.
 */
export function createReadingSealer(
  crypto: SessionCrypto,
  session: { key: KeyHandle; kid: Bytes },
  deviceThumbprint: Bytes,
) {
  const headerStart = "\xa3\x01\x01\x04" + cborBytes(session.kid) + "\x06";
  const aad = cborBytes(createStructures().externalAad("reading", deviceThumbprint));

  return function sealReading(sequence: number, payload: Bytes): Bytes {
    const partialIv = toBigEndian(sequence);
    const header =
      chars(0x41 + headerStart.length + partialIv.length) +
      headerStart +
      chars(0x40 + partialIv.length) +
      partialIv;
    const ciphertext = crypto.aeadEncryptSequence(
      session.key,
      sequence,
      ("\x83\x68Encrypt0" + header + aad) as Bytes,
      payload,
    );
    return ("\xd0\x83" + header + "\xa0" + cborBytes(ciphertext)) as Bytes;
  };
}

/** The payload of a reading; "decrypt" when it is not this session's, device's or class's. */
export function openReading(
  crypto: CoseCrypto,
  session: { key: KeyHandle; baseIv: Bytes },
  deviceThumbprint: Bytes,
  reading: SequencedEncrypt0,
): Bytes {
  const structures = createStructures();
  const aad = structures.externalAad("reading", deviceThumbprint);
  return crypto.aeadDecrypt(
    session.key,
    nonceOf(session.baseIv, reading.partialIv),
    structures.encStructure("Encrypt0", reading.protectedHeader, aad),
    reading.ciphertext,
  );
}
