import type { Bytes } from "../../protocol/bytes.ts";
import { createSessionOpener, type OpenedSession } from "../../protocol/session-message.ts";
import type { Device } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import { createSignedJudge, type SignedMessage } from "./accept-signed.ts";
import type { FailureBudget } from "./failure-budget.ts";
import { isRefused, type Refused } from "./refusal.ts";

export interface AcceptedSession extends SignedMessage {
  kind: "session";
}

type Result = AcceptedSession | Refused;

/** Judges session messages and commits the session of each good one. */
export function createSessionAcceptor(context: AcceptContext, budget: FailureBudget) {
  const { crypto, store, sessionKeys, now } = context;
  const judgeSession = createSignedJudge(context, budget, "session", createSessionOpener(crypto));

  async function commit(device: Device, hash: Bytes, opened: OpenedSession): Promise<Result> {
    const session = {
      device: device.kid,
      counter: opened.counter,
      sealedKey: sessionKeys.seal(opened.key, device, opened.counter),
      baseIv: opened.baseIv,
      committedAt: now(),
    };
    const outcome = await store.commitSession(session, hash);
    if (outcome === "conflict") return { refused: "counter-conflict" };
    if (outcome === "device-rolled") return { refused: outcome };
    return { kind: "session", device, hash, repeat: outcome === "repeat" };
  }

  return async function acceptSession(device: Device, message: Bytes): Promise<Result> {
    const judged = await judgeSession(device, message);
    if (isRefused(judged)) return judged;
    const { hash, opened } = judged;
    if (!opened) return { kind: "session", device, hash, repeat: true };
    try {
      return await commit(device, hash, opened);
    } finally {
      crypto.destroyKey(opened.key);
    }
  };
}
