import type { Bytes } from "../../protocol/bytes.ts";
import type { CoseflowError, ErrorCode } from "../../protocol/errors.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import type { ReplyRefusal } from "../store/commands.ts";
import type { EnrolRefusal } from "../store/enrolment.ts";

/** Why a message is not taken: a failure of the protocol, or one of these. */
export type RefusalReason =
  | ErrorCode
  /**
   * Why a device is not let in. Of the other classes: the topic names a device that is not
   * registered, is deleted (only its reply to that is taken), or revoked.
   */
  | EnrolRefusal
  /** Why a reply is not taken. */
  | ReplyRefusal
  /** This receiver has no keys of a registrar. */
  | "no-registrar"
  /** The registrar cannot issue: a fault here. The device asks again. */
  | "registrar-failed"
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
  /** A fault here, in words. */
  why?: string | undefined;
}

/** Marks what a judgement threw; the union keeps it apart from every value. */
export interface Refused {
  refused: RefusalReason;
  why?: string | undefined;
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

/** For the operator, of reasons that do not say what to do: a device that is not let in is not told why. */
const WORDS: { [reason in RefusalReason]?: string } = {
  "counter-conflict": "two messages with one counter: a cloned device or restored flash",
  "key-known": "a device replaces its key by one that is another's",
  "no-registrar": "a device asks for its certificate, and there are no keys of a registrar here",
  "claim-unknown":
    "a device enrols with a claim that nobody made: mistyped, or of another database",
  "claim-expired": "a device enrols with a claim whose time is over: make another one",
  "claim-used": "a device enrols with a claim that another key has used",
  "user-id": "a device enrols for another user than its claim or registration names",
  "device-id": "a device enrols under a device id that its claim does not allow, or another bears",
};

export function wordsOf(reason: RefusalReason): string | undefined {
  return WORDS[reason];
}
