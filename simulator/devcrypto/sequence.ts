import type { NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { NONCE_SIZE } from "../../cloud/crypto/primitives.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import {
  type DeviceCrypto,
  type KeyHandle,
  USAGE_ENCRYPT_SEQUENCE,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { bounded, boundedCount, NUMBER_LIMIT, SEQUENCE_LIMIT } from "./limits.ts";
import type { SequenceState, Slots } from "./slots.ts";

type Sequences = Pick<DeviceCrypto, "exportBaseIv" | "reserveSequence" | "aeadEncryptSequence">;

/** Encryption under numbers that are handed out here, each used once. */
export function createSequences(crypto: NodeCrypto, slots: Slots): Sequences {
  function open(handle: KeyHandle): { key: KeyHandle; sequence: SequenceState } {
    const { key, sequence } = slots.get(handle, USAGE_ENCRYPT_SEQUENCE);
    if (sequence === undefined) return fail("key", "key, expected sequence numbers, got none");
    return { key, sequence };
  }

  return {
    exportBaseIv: (handle) => open(handle).sequence.baseIv,

    reserveSequence(handle) {
      const { sequence } = open(handle);
      sequence.open = false;
      if (sequence.last >= SEQUENCE_LIMIT)
        fail("sequence", `sequence number, expected at most ${SEQUENCE_LIMIT}, got one more`);
      sequence.last++;
      sequence.open = true;
      return sequence.last;
    },

    aeadEncryptSequence(handle, number, aad, plaintext) {
      bounded(aad, "AAD");
      bounded(plaintext, "plaintext");
      boundedCount(number, "sequence number", NUMBER_LIMIT);
      const { key, sequence } = open(handle);
      if (!sequence.open || sequence.last !== number)
        fail("sequence", `sequence number, expected the one reserved, got ${number}`);
      // Before the nonce is used at all, so that no failure can repeat it.
      sequence.open = false;
      return crypto.aeadEncrypt(key, nonceOf(sequence.baseIv, number), aad, plaintext);
    },
  };
}

/** Base IV XOR the number, left-padded (RFC 9052 section 3.1). */
function nonceOf(baseIv: Bytes, number: number): Bytes {
  const nonce = Buffer.from(baseIv, "latin1");
  const at = NONCE_SIZE - 4;
  nonce.writeUInt32BE((nonce.readUInt32BE(at) ^ number) >>> 0, at);
  return nonce.toString("latin1") as Bytes;
}
