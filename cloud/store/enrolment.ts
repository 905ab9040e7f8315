/** Claims, and what enrolment binds: the part of the store that lets devices in. */
import type { Bytes } from "../../protocol/bytes.ts";
import type { SignedCommit } from "./store.ts";

/** A one-time claim: whoever has its 16 bytes may enrol one device. */
export interface Claim {
  /** SHA-256 of its bytes, which are kept nowhere. */
  hash: Bytes;
  userId: string;
  /** The one device id that it is for; undefined: one that no device ever bore. */
  deviceId: string | undefined;
  /** Unix seconds. */
  madeAt: number;
  expiresAt: number;
}

export interface ClaimSummary extends Claim {
  /** Unix seconds, and the key id of the device that it let in. */
  usedAt: number | undefined;
  usedBy: Bytes | undefined;
}

/** What a device asks for, its signature and its CSR's verified. */
export interface EnrolRequest {
  publicKey: Bytes;
  thumbprint: Bytes;
  deviceId: string;
  userId: string;
  /** Hash of its claim; undefined where its key was registered before. */
  claim: Bytes | undefined;
}

export interface Enrolment extends EnrolRequest {
  /** The device counter of the enrol message. */
  counter: number;
  /** DER. */
  certificate: Bytes;
  /** The `enrolled` message. */
  reply: Bytes;
  /** Unix seconds. */
  enrolledAt: number;
}

/** Why a device is not let in. */
export type EnrolRefusal =
  /** No claim, and the key was not registered before. */
  | "device-unknown"
  | "device-deleted"
  | "device-revoked"
  /** Another key has taken its place; or it takes the place of another, and has no session yet. */
  | "device-rolled"
  /** The key id belongs to another key. */
  | "kid"
  | "claim-unknown"
  | "claim-expired"
  /** By another key. */
  | "claim-used"
  /** The user id is not the claim's, or not that of the registered device. */
  | "user-id"
  /** The device id is not the claim's, or another device bears it or bore it. */
  | "device-id";

/** A stored `enrolled`, and the key id it goes to. */
export interface StoredEnrolled {
  to: Bytes;
  message: Bytes;
}

/** A device that has proven its key and was not let in. */
export interface RefusedEnrolment {
  /** Key id. */
  device: Bytes;
  reason: string;
  /** Unix seconds. */
  at: number;
}

export interface EnrolmentStore {
  makeClaim(claim: Claim): Promise<void>;
  listClaims(): Promise<ClaimSummary[]>;

  /** Why the device would not be let in at `now`; undefined when it would. */
  judgeEnrolment(request: EnrolRequest, now: number): Promise<EnrolRefusal | undefined>;
  /**
   * Judges again and, in one transaction, spends the claim, binds user, device id and full
   * public key, and keeps certificate and reply. A claim that is spent already lets the
   * same key in again: a crash may have come between the journal and the database.
   */
  commitEnrolment(
    enrolment: Enrolment,
    hash: Bytes,
  ): Promise<SignedCommit | { refused: EnrolRefusal }>;
  /** Newest first, of those that have a row in the audit log. */
  listRefusedEnrolments(limit: number): Promise<RefusedEnrolment[]>;
  /** The `enrolled` that answers the message of this hash, byte for byte. */
  findEnrolled(device: Bytes, hash: Bytes): Promise<StoredEnrolled | undefined>;
}
