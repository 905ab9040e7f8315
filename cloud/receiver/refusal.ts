import type { Bytes } from "../../protocol/bytes.ts";
import type { CoseflowError, ErrorCode } from "../../protocol/errors.ts";
import type { MessageClass } from "../../protocol/topics.ts";

/** Why a message is not taken: a failure of the protocol, or one of these. */
export type RefusalReason =
  | ErrorCode
  /** The topic names a device that is not registered. */
  | "device-unknown"
  /** Its device is deleted, or is being deleted: only the reply to that is taken. */
  | "device-deleted"
  | "device-revoked"
  /** A reading of a session that was never stored. The device keeps it, and sends its session. */
  | "session-unknown"
  /** The session is stored, but its key does not open: the row is not what was written. */
  | "session-damaged"
  /** An authentic session message or event, but another has its counter: a clone, or a restored flash. */
  | "counter-conflict"
  /** Too many messages in this device's name whose signature did not verify. */
  | "limit"
  /** An error without a code, which is a fault here: refused, so that one message stops nobody. */
  | "unexpected";

/** A message that is acknowledged, counted and forgotten. Nothing of its content is in here. */
export interface Refusal {
  kind: "refused";
  reason: RefusalReason;
  /** Undefined when the topic itself is refused. */
  messageClass: MessageClass | undefined;
  deviceKid: Bytes | undefined;
}

/** Marks what a judgement threw; the union keeps it apart from every value. */
export interface Refused {
  refused: RefusalReason;
}

export function isRefused(value: unknown): value is Refused {
  return typeof value === "object" && value !== null && "refused" in value;
}

/**
 * Runs a step that looks at nothing but the message and keys at hand, so that
 * whatever it throws is the message's fault. Steps that ask the store stay outside:
 * their failure is ours, and the broker must keep the message.
 */
export function judge<T>(step: () => T): T | Refused {
  try {
    return step();
  } catch (error) {
    const code = (error as Partial<CoseflowError>).code;
    return { refused: isErrorCode(code) ? code : "unexpected" };
  }
}

const CODES: Record<ErrorCode, true> = {
  cbor: true,
  form: true,
  profile: true,
  size: true,
  topic: true,
  kid: true,
  signature: true,
  decrypt: true,
  sequence: true,
  certificate: true,
  key: true,
  store: true,
  random: true,
  unsupported: true,
  memory: true,
  argument: true,
};

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(CODES, code);
}
