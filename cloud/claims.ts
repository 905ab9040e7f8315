import { createHash, randomBytes } from "node:crypto";
import { type Bytes, fromHex } from "../protocol/bytes.ts";
import { fail } from "../protocol/errors.ts";
import { fromBuffer } from "./crypto/convert.ts";
import type { Store } from "./store/store.ts";

/** Bytes of a claim: too many to guess. */
const CLAIM_BYTES = 16;
/** Shown in terminals, and sent in messages of bounded size. */
const MAX_ID_BYTES = 64;

/** A device id or user id: printable, short, and the same for everybody who reads it. */
export function checkId(what: string, id: string): string {
  if (/^[^\p{C}]+$/u.test(id) && id.trim() === id && Buffer.byteLength(id) <= MAX_ID_BYTES)
    return id;
  return fail(
    "argument",
    `${what}, expected 1 to ${MAX_ID_BYTES} bytes of printable text, got other text`,
  );
}

/** A claim's bytes, from its 32 hexadecimal digits. */
export function checkClaim(claim: string): Bytes {
  const bytes = fromHex(claim);
  if (bytes?.length !== CLAIM_BYTES)
    fail("argument", `claim, expected ${CLAIM_BYTES * 2} hexadecimal digits, got other text`);
  return bytes;
}

/** How the store knows a claim, from its 32 hexadecimal digits. */
export function hashOfClaim(claim: string): Bytes {
  return fromBuffer(createHash("sha256").update(checkClaim(claim), "latin1").digest());
}

export interface ClaimOptions {
  userId: string;
  deviceId: string | undefined;
  /** Seconds that it lives. */
  seconds: number;
}

/** Makes a claim and gives its 32 digits, which are kept nowhere: only their hash is. */
export async function newClaim(store: Store, options: ClaimOptions): Promise<string> {
  const userId = checkId("user id", options.userId);
  const deviceId =
    options.deviceId === undefined ? undefined : checkId("device id", options.deviceId);
  const claim = randomBytes(CLAIM_BYTES).toString("hex");
  const madeAt = Math.floor(Date.now() / 1000);
  const expiresAt = madeAt + options.seconds;
  await store.makeClaim({ hash: hashOfClaim(claim), userId, deviceId, madeAt, expiresAt });
  return claim;
}
