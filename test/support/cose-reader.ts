/** An Encrypt opened with cbor-x and node:crypto alone. */
import { createDecipheriv, ECDH } from "node:crypto";
import type { Bytes } from "../../protocol/bytes.ts";
import { decodeOracle, encodeOracle, type Tag, toBinary } from "./cbor-oracle.ts";
import { aadOracle, kdfContextOracle, kekOracle, type SealedClass } from "./cose-builder.ts";
import type { Party } from "./parties.ts";

export type OracleRecipient = [Buffer, Map<number, unknown>, Buffer];

/** Unwraps as the recipient at `index`, and decrypts. */
export function openEncryptByHand(
  message: Bytes,
  messageClass: SealedClass,
  deviceThumbprint: Bytes,
  recipient: Party,
  index: number,
): Buffer {
  const [header, unprotected, ciphertext, recipients] = (decodeOracle(message) as Tag).value as [
    Buffer,
    Map<number, Buffer>,
    Buffer,
    OracleRecipient[],
  ];
  const [, own, wrapped] = recipients[index] as OracleRecipient;
  const epk = own.get(-1) as Map<number, unknown>;
  const compressed = Buffer.concat([Buffer.from([epk.get(-3) ? 3 : 2]), epk.get(-2) as Buffer]);
  const point = ECDH.convertKey(compressed, "prime256v1", undefined, "latin1", "uncompressed");
  const other = `coseflow/1 ${messageClass}`;
  const context = kdfContextOracle(deviceThumbprint, recipient.thumbprint, other);
  const kek = kekOracle(recipient.privateKey, point as Bytes, context);
  const unwrap = createDecipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
  const cek = Buffer.concat([unwrap.update(wrapped), unwrap.final()]);
  const aad = toBinary(aadOracle(messageClass, deviceThumbprint));
  const structure = encodeOracle(["Encrypt", header, aad]);
  const decipher = createDecipheriv("aes-128-gcm", cek, unprotected.get(5) as Buffer);
  decipher.setAAD(toBinary(structure));
  decipher.setAuthTag(ciphertext.subarray(-16));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]);
}
