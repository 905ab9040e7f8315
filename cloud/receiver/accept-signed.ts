import { type Bytes, equalBytes } from "../../protocol/bytes.ts";
import { hashSign1, parseSign1, type Sign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { fail } from "../../protocol/errors.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import type { Device } from "../store/store.ts";
import type { AcceptContext, OwnKey } from "./accept-context.ts";
import type { FailureBudget } from "./failure-budget.ts";
import { openWithAny } from "./own-keys.ts";
import { isRefused, judge, type Refused } from "./refusal.ts";

/** A signed message that is stored. */
export interface SignedMessage {
  device: Device;
  /** SHA-256 of the Sig_structure, 32 bytes. */
  hash: Bytes;
  /** True when the same message was stored before: receipted again, nothing else. */
  repeat: boolean;
}

/** What verifies a message of one class and opens it. */
type Open<Opened> = (sign1: Sign1, device: Device, self: OwnKey) => Opened;

/** Not stored yet; nothing is opened of what was stored before. */
export interface Judged<Opened> {
  hash: Bytes;
  opened: Opened | undefined;
}

/**
 * Judges the messages that a device signs, of one class: form and key id, then whether it
 * is a repeat, and only then the signature and what is inside.
 */
export function createSignedJudge<Opened>(
  { crypto, store, self, older }: AcceptContext,
  budget: FailureBudget,
  messageClass: MessageClass,
  open: Open<Opened>,
) {
  const { externalAad } = createStructures();
  const keys = [self, ...older];

  function parse(device: Device, message: Bytes): { sign1: Sign1; hash: Bytes } {
    const sign1 = parseSign1(message);
    if (!equalBytes(sign1.kid, device.kid))
      fail("kid", "key id of Sign1, expected the topic's, got another");
    const hash = hashSign1(crypto, sign1, externalAad(messageClass, device.thumbprint));
    return { sign1, hash };
  }

  return async function judgeSigned(
    device: Device,
    message: Bytes,
  ): Promise<Judged<Opened> | Refused> {
    const parsed = judge(() => parse(device, message));
    if (isRefused(parsed)) return parsed;
    const { sign1, hash } = parsed;
    // The hash covers everything but the signature, so this message was verified once already.
    if (await store.hasSigned(device.kid, hash)) return { hash, opened: undefined };
    if (!budget.allows(device.kid)) return { refused: "limit" };
    const opened = judge(() => openWithAny(keys, (key) => open(sign1, device, key)));
    if (!isRefused(opened)) return { hash, opened };
    if (opened.refused === "signature") budget.spend(device.kid);
    return opened;
  };
}
