/**
 * The end of a device by the command `delete`. Its last reply must outlast the erasure of
 * the very store that everything else lies in, and so lies in Espruino's Storage from
 * right before it: a ciphertext, and a name that the broker knows. While it is there this
 * device makes no key, opens no session and reads no sensor, in whatever boot.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { cborBytes } from "../../protocol/cbor.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { KID_LENGTH } from "../../protocol/kid.ts";
import type { System } from "../ports.ts";

/** Name of the file. */
export const FAREWELL_FILE = "coseflow.bye";

/** A broker that has not taken the reply in this time of one boot will not get it. */
export const FAREWELL_SECONDS = 86400;

const VERSION = "\x83\x01";
const DIGEST_LENGTH = 8;

export interface Farewell {
  /** Names the topic of the reply. */
  kid: Bytes;
  reply: Bytes;
}

type Storage = System["storage"];

/** Storage writes a file's length before its bytes: only the digest tells a whole one from one that was cut. */
function digestOf(crypto: DeviceCrypto, content: Bytes): Bytes {
  return crypto.hashCompute(content).substring(0, DIGEST_LENGTH) as Bytes;
}

/** undefined where there is none, or one that was cut: the record of the command is still there then. */
export function readFarewell(crypto: DeviceCrypto, storage: Storage): Farewell | undefined {
  const content = storage.read(FAREWELL_FILE);
  if (content === undefined) return undefined;
  const whole = content.substring(DIGEST_LENGTH) as Bytes;
  if (content.substring(0, DIGEST_LENGTH) !== digestOf(crypto, whole)) return undefined;
  const reader = createReader(whole);
  reader.exactly(VERSION, "farewell");
  const kid = reader.bytesOf(KID_LENGTH);
  const reply = reader.bytes();
  reader.end();
  return { kid: kid, reply: reply };
}

/** Written and read back before anything is erased. */
export function writeFarewell(crypto: DeviceCrypto, storage: Storage, farewell: Farewell): void {
  const content = (VERSION + cborBytes(farewell.kid) + cborBytes(farewell.reply)) as Bytes;
  storage.write(FAREWELL_FILE, (digestOf(crypto, content) + content) as Bytes);
}
