/**
 * The registrar's judgement of enrol messages. Cheap checks come before cryptography, the
 * proof of the key before the claim; a device that is refused hears nothing.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import type { Sign1 } from "../../protocol/cose/sign1.ts";
import { createEnrolOpener, type OpenedEnrol } from "../../protocol/enrol-message.ts";
import { fail } from "../../protocol/errors.ts";
import { kidOf } from "../../protocol/kid.ts";
import { readRequest, readRequestKey } from "../ca/request.ts";
import type { RegistrarKeys } from "../keys/cloud-keys.ts";
import type { AcceptContext } from "../receiver/accept-context.ts";
import { openWithAny } from "../receiver/own-keys.ts";
import { isRefused, judge, type Refused } from "../receiver/refusal.ts";
import type { Enrolment, EnrolRequest } from "../store/enrolment.ts";
import type { Device, KnownDevice } from "../store/store.ts";
import { textOf } from "../text.ts";
import { createAnswerer, tryToAnswer } from "./answer.ts";
import { createEnrolLimit } from "./enrol-limit.ts";

/** A device that is let in, or was before by the same message. */
export interface AcceptedEnrol {
  kind: "enrol";
  device: Device;
  repeat: boolean;
  /** What goes back, the same bytes each time. */
  enrolled: Bytes;
}

type Result = AcceptedEnrol | Refused;

/** Whose message it says it is, and its name. */
interface Parsed {
  sign1: Sign1;
  hash: Bytes;
}

export function createEnrolAcceptor(context: AcceptContext, keys: RegistrarKeys) {
  const { crypto, store, now } = context;
  const ownKeys = [context.self, ...context.older];
  const opener = createEnrolOpener(crypto, readRequestKey);
  const answer = createAnswerer(crypto, keys);
  const limit = createEnrolLimit(now);

  function parse(kid: Bytes, message: Bytes): Parsed {
    const sign1 = opener.parse(message);
    if (kidOf(sign1.kid) !== kid)
      fail("kid", "key id of Sign1, expected the thumbprint of the topic's device, got another");
    return { sign1, hash: opener.hash(sign1) };
  }

  /** The device's words, once its key is proven: thumbprint, signature, then the CSR's own. */
  function open(kid: Bytes, sign1: Sign1): OpenedEnrol {
    const opened = openWithAny(ownKeys, (key) => opener.open(sign1, kid, key));
    readRequest(opened.csr);
    return opened;
  }

  function requestOf({ publicKey, thumbprint, ...opened }: OpenedEnrol): EnrolRequest {
    return {
      publicKey,
      thumbprint,
      deviceId: textOf(opened.deviceId),
      userId: textOf(opened.userId),
      claim: opened.claim === undefined ? undefined : crypto.hashCompute(opened.claim),
    };
  }

  async function commit(device: Device, enrolment: Enrolment, hash: Bytes): Promise<Result> {
    const outcome = await store.commitEnrolment(enrolment, hash);
    if (outcome === "conflict") return { refused: "counter-conflict" };
    if (typeof outcome === "object") return outcome;
    // Another process may have been first: then its bytes are the ones that count.
    const stored = outcome === "repeat" ? await store.findEnrolled(device.kid, hash) : undefined;
    const enrolled = stored?.message ?? enrolment.reply;
    return { kind: "enrol", device, repeat: outcome === "repeat", enrolled };
  }

  async function letIn(opened: OpenedEnrol, device: Device): Promise<Result> {
    const { csr, counter, hash } = opened;
    const request = requestOf(opened);
    const enrolledAt = now();
    const refused = await store.judgeEnrolment(request, enrolledAt);
    if (refused) return { refused };
    const answered = await tryToAnswer(answer(csr, request, hash, enrolledAt));
    if (isRefused(answered)) return answered;
    const { certificate, reply } = answered;
    return commit(device, { ...request, counter, certificate, reply, enrolledAt }, hash);
  }

  async function judgeNew(
    kid: Bytes,
    { sign1, hash }: Parsed,
    known: KnownDevice | undefined,
  ): Promise<Result> {
    const isKnown = known?.thumbprint === sign1.kid;
    if (!limit.allowsOpening(isKnown)) return { refused: "limit" };
    const opened = judge(() => open(kid, sign1));
    if (isRefused(opened)) {
      limit.failed(sign1.kid, isKnown, false);
      return opened;
    }
    const { publicKey, thumbprint } = opened;
    const result = await letIn(
      { ...opened, hash },
      { kid, publicKey, thumbprint, name: known?.name },
    );
    if (isRefused(result)) limit.failed(sign1.kid, isKnown, true);
    return result;
  }

  /** `known` is what is registered under the topic's key id, where it is not closed. */
  return async function acceptEnrol(
    kid: Bytes,
    known: KnownDevice | undefined,
    message: Bytes,
  ): Promise<Result> {
    const parsed = judge(() => parse(kid, message));
    if (isRefused(parsed)) return parsed;
    const { sign1, hash } = parsed;
    if (!limit.allows(sign1.kid)) return { refused: "limit" };
    const stored = known && (await store.findEnrolled(kid, hash));
    if (!stored) return judgeNew(kid, parsed, known);
    limit.repeated(sign1.kid);
    return { kind: "enrol", device: known, repeat: true, enrolled: stored.message };
  };
}
