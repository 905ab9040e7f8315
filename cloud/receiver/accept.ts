/**
 * The way of a message from its topic to the store: topic, class, size, device,
 * then what its class asks for. Cheap checks come before cryptography, and nothing is
 * stored or receipted before a tag or signature has verified.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { CLASSES, type MessageClass, parseTopic } from "../../protocol/topics.ts";
import { fromBuffer } from "../crypto/convert.ts";
import { type AcceptedEnrol, createEnrolAcceptor } from "../registrar/accept-enrol.ts";
import type { KnownDevice } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import { type AcceptedEvent, createEventAcceptor } from "./accept-event.ts";
import { type AcceptedReading, createReadingAcceptor } from "./accept-reading.ts";
import { type AcceptedReply, createReplyAcceptor } from "./accept-reply.ts";
import { type AcceptedSession, createSessionAcceptor } from "./accept-session.ts";
import { closedTo } from "./closed.ts";
import { createFailureBudget } from "./failure-budget.ts";
import { isRefused, judge, type Refusal, type Refused } from "./refusal.ts";

export type Accepted =
  | AcceptedSession
  | AcceptedReading
  | AcceptedEvent
  | AcceptedEnrol
  | AcceptedReply;
export type Outcome = Accepted | Refusal;

/**
 * Judges one message and commits what it holds. Resolves when that is durable: now it
 * may be acknowledged. Rejects when the store or a stored key fails: then it must not be.
 */
export type Accept = (topic: string, payload: Buffer) => Promise<Outcome>;

/** The one class that a device may send before it is known. */
const ENROL = "enrol";

type Result = Accepted | Refused;
type Address = ReturnType<typeof parseTopic>;

/** Class by class: what the cloud takes from a registered device. */
type Acceptors = {
  [name in MessageClass]?: (device: KnownDevice, message: Bytes) => Promise<Result>;
};

export function createAccept(context: AcceptContext): Accept {
  const { store, prefix, now } = context;
  const budget = createFailureBudget(now);
  const acceptors: Acceptors = {
    session: createSessionAcceptor(context, budget),
    reading: createReadingAcceptor(context),
    event: createEventAcceptor(context, budget),
    reply: createReplyAcceptor(context, budget),
  };

  const { registrar } = context;
  const acceptEnrol = registrar && createEnrolAcceptor(context, registrar);

  function checkSize({ messageClass }: Address, payload: Buffer): void {
    const { limit } = CLASSES[messageClass];
    if (payload.length > limit)
      fail("size", `${messageClass}, expected at most ${limit} bytes, got ${payload.length}`);
  }

  async function acceptAddressed(address: Address, payload: Buffer): Promise<Result> {
    const { messageClass, kid } = address;
    const acceptor = acceptors[messageClass];
    if (!acceptor && messageClass !== ENROL) return { refused: "topic" };
    const size = judge(() => checkSize(address, payload));
    if (isRefused(size)) return size;
    const device = await store.findDevice(kid);
    const closed = device && closedTo(device, messageClass, now());
    if (closed) return { refused: closed };
    const message = fromBuffer(payload);
    if (!acceptor) return acceptEnrol?.(kid, device, message) ?? { refused: "no-registrar" };
    return device ? acceptor(device, message) : { refused: "device-unknown" };
  }

  async function count(
    { refused, why }: Refused,
    address: Address | undefined,
    payload: Buffer,
  ): Promise<Refusal> {
    const { messageClass, kid } = address ?? {};
    await store.countRefusal(refused, messageClass, kid, now(), payload);
    return { kind: "refused", reason: refused, messageClass, deviceKid: kid, why };
  }

  return async function accept(topic, payload) {
    const address = judge(() => parseTopic(prefix, topic));
    if (isRefused(address)) return count(address, undefined, payload);
    const result = await acceptAddressed(address, payload);
    return isRefused(result) ? count(result, address, payload) : result;
  };
}
