/** Events, and replies to commands: rare and important, each kept in a record until a receipt lists it. */
import { type Bytes, fromBigEndian, toBigEndian } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { createEventMaker } from "../protocol/event-message.ts";
import type { Losses } from "./losses.ts";
import type { Log } from "./ports.ts";
import type { Identity } from "./session.ts";
import {
  eraseSigned,
  freeRecord,
  makeSigned,
  readSigned,
  type Signed,
  type SignedClass,
  writeSigned,
} from "./signed-records.ts";

/** Events kept until receipted, each a record of some hundred bytes; readings never push one out. */
export const MAX_EVENTS = 4;
/** Records "e0" to "e3". */
export const EVENT_RECORD = "e";

/** A reply that still waits when two more are due answers a command that nobody waits for any more. */
export const MAX_REPLIES = 2;
/** Records "r0" and "r1". */
export const REPLY_RECORD = "r";

export interface EventListOptions {
  crypto: DeviceCrypto;
  identity: Identity;
  recipients: Recipient[];
  log: Log;
  losses: Losses;
}

export function createEventList(options: EventListOptions) {
  const crypto = options.crypto;
  let events: Signed[] = readSigned(crypto, REPLY_RECORD, "reply", MAX_REPLIES).concat(
    readSigned(crypto, EVENT_RECORD, "event", MAX_EVENTS),
  );

  /** Where too many of a class wait the oldest of them goes. */
  function makeRoom(messageClass: SignedClass, most: number): void {
    const waiting = events.filter((each) => each.messageClass === messageClass);
    if (waiting.length < most) return;
    const oldest = waiting[0] as Signed;
    events = events.filter((each) => each !== oldest);
    eraseSigned(crypto, oldest, options.log);
    if (messageClass === "event") options.losses.events++;
    options.log(messageClass + " " + fromBigEndian(oldest.kid) + " dropped: too many wait");
  }

  return {
    all: () => events,

    /** Keeps the reply that was made; one that is kept already stays as it is. */
    reply(kid: Bytes, hash: Bytes, message: Bytes): void {
      if (events.some((each) => each.messageClass === "reply" && each.kid === kid)) return;
      makeRoom("reply", MAX_REPLIES);
      const reply = makeSigned("reply", freeRecord(REPLY_RECORD, events), kid, hash, message);
      writeSigned(crypto, reply);
      events.push(reply);
    },

    /** Signs and seals a SenML pack, under a counter of its own. */
    add(pack: Bytes): void {
      makeRoom("event", MAX_EVENTS);
      const counter = crypto.nextCounter(options.identity.id);
      const make = createEventMaker(crypto);
      const made = make(options.identity, options.recipients, counter, pack);
      const record = freeRecord(EVENT_RECORD, events);
      const kid = toBigEndian(counter);
      const event = makeSigned("event", record, kid, made.hash, made.message);
      writeSigned(crypto, event);
      events.push(event);
    },

    /** Forgets what a receipt lists; true when that was anything. */
    settle(hashes: Bytes[]): boolean {
      const before = events.length;
      events = events.filter(function (event) {
        if (hashes.indexOf(event.hash) < 0) return true;
        eraseSigned(crypto, event, options.log);
        return false;
      });
      return events.length < before;
    },
  };
}
