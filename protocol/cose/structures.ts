/**
 * What is authenticated but never sent: the structures that COSE signs, or feeds
 * to AES-GCM and HKDF, and this profile's additions to them. All deterministic
 * CBOR, composed from ready parts. A device needs them only to open a session, to sign
 * or to open a receipt: each time they are made for it, and dropped.
 */
import type { Bytes } from "../bytes.ts";
import { cborBytes, cborText } from "../cbor.ts";
import type { MessageClass } from "../topics.ts";

/** The string that names this profile in every authenticated structure. */
const PROFILE = "\x6acoseflow/1";

/** Protected header of the one recipient form: {1: -29}, ECDH-ES + A128KW. */
export const RECIPIENT_PROTECTED = "\xa1\x01\x38\x1c";

export function createStructures() {
  /**
   * external_aad of Sign1, of the Encrypt body and of Encrypt0:
   * ["coseflow/1", class, device thumbprint]. It nails a message to its class and
   * device, so that no broker can move it to another topic.
   */
  function externalAad(messageClass: MessageClass, deviceThumbprint: Bytes): Bytes {
    return ("\x83" + PROFILE + cborText(messageClass) + cborBytes(deviceThumbprint)) as Bytes;
  }

  /** Sig_structure of a Sign1 (RFC 9052 section 4.4). */
  function sigStructure(protectedHeader: Bytes, aad: Bytes, payload: Bytes): Bytes {
    return ("\x84\x6aSignature1" +
      cborBytes(protectedHeader) +
      cborBytes(aad) +
      cborBytes(payload)) as Bytes;
  }

  /** Enc_structure (RFC 9052 section 5.3); the context is "Encrypt" or "Encrypt0". */
  function encStructure(context: string, protectedHeader: Bytes, aad: Bytes): Bytes {
    return ("\x83" + cborText(context) + cborBytes(protectedHeader) + cborBytes(aad)) as Bytes;
  }

  /**
   * COSE_KDF_Context (RFC 9053 section 5.2) for the key that wraps the content key:
   * A128KW (-3), sender and recipient by thumbprint, 128 bits, the recipient's
   * protected header, and "coseflow/1 <class>" as SuppPubInfo.other. Without the two
   * identities a second enrolled device could strip a signature and pass another's
   * key message off as its own.
   */
  function kdfContext(
    messageClass: MessageClass,
    senderThumbprint: Bytes,
    recipientThumbprint: Bytes,
  ): Bytes {
    return ("\x84\x22\x83" +
      cborBytes(senderThumbprint) +
      "\xf6\xf6\x83" +
      cborBytes(recipientThumbprint) +
      "\xf6\xf6\x83\x18\x80" +
      cborBytes(RECIPIENT_PROTECTED as Bytes) +
      cborBytes(("coseflow/1 " + messageClass) as Bytes)) as Bytes;
  }

  return {
    externalAad: externalAad,
    sigStructure: sigStructure,
    encStructure: encStructure,
    kdfContext: kdfContext,
  };
}
