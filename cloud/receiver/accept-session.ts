import { type Bytes, equalBytes } from "../../protocol/bytes.ts";
import { hashSign1, parseSign1, type Sign1 } from "../../protocol/cose/sign1.ts";
import { externalAad } from "../../protocol/cose/structures.ts";
import { fail } from "../../protocol/errors.ts";
import { createSessionOpener, type OpenedSession } from "../../protocol/session-message.ts";
import type { Device } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import type { FailureBudget } from "./failure-budget.ts";
import { isRefused, judge, type RefusalReason, type Refused } from "./refusal.ts";

export interface AcceptedSession {
  kind: "session";
  device: Device;
  /** SHA-256 of the Sig_structure, 32 bytes. */
  hash: Bytes;
  /** True when the same message was stored before: receipted again, nothing else. */
  repeat: boolean;
}

type Result = AcceptedSession | Refused;

/** Judges session messages and commits the session of each good one. */
export function createSessionAcceptor(context: AcceptContext, budget: FailureBudget) {
  const { crypto, store, self, sessionKeys, now } = context;
  const openSession = createSessionOpener(crypto);

  function parse(device: Device, message: Bytes): { sign1: Sign1; hash: Bytes } {
    const sign1 = parseSign1(message);
    if (!equalBytes(sign1.kid, device.kid))
      fail("kid", "key id of Sign1, expected the topic's, got another");
    const hash = hashSign1(crypto, sign1, externalAad("session", device.thumbprint));
    return { sign1, hash };
  }

  async function commit(device: Device, hash: Bytes, opened: OpenedSession): Promise<Result> {
    const outcome = await store.commitSession({
      device: device.kid,
      counter: opened.counter,
      sealedKey: sessionKeys.seal(opened.key, device, opened.counter),
      baseIv: opened.baseIv,
      hash,
      committedAt: now(),
    });
    if (outcome === "conflict") return { refused: "counter-conflict" };
    return { kind: "session", device, hash, repeat: outcome === "repeat" };
  }

  return async function acceptSession(device: Device, message: Bytes): Promise<Result> {
    const parsed = judge(() => parse(device, message));
    if (isRefused(parsed)) return parsed;
    const { sign1, hash } = parsed;
    // The hash covers everything but the signature, so this message was verified once already.
    if (await store.findSessionByHash(device.kid, hash))
      return { kind: "session", device, hash, repeat: true };
    if (!budget.allows(device.kid)) return refuse("limit");
    const opened = judge(() => openSession(sign1, device, self));
    if (isRefused(opened)) {
      if (opened.refused === "signature") budget.spend(device.kid);
      return opened;
    }
    try {
      return await commit(device, hash, opened);
    } finally {
      crypto.destroyKey(opened.key);
    }
  };
}

function refuse(reason: RefusalReason): Refused {
  return { refused: reason };
}
