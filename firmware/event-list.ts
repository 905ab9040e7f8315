/** Signed one-off messages, rare and important: each kept in a record until a receipt lists it. */
import { type Bytes, fromBigEndian, toBigEndian } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { createEventMaker } from "../protocol/event-message.ts";
import type { Log } from "./ports.ts";
import type { Identity } from "./session.ts";
import {
  eraseSigned,
  freeRecord,
  makeSigned,
  readSigned,
  type Signed,
  writeSigned,
} from "./signed-records.ts";

/** Events kept until receipted, each a record of some hundred bytes; readings never push one out. */
export const MAX_EVENTS = 4;
/** Records "e0" to "e3". */
const RECORD = "e";

export interface EventListOptions {
  crypto: DeviceCrypto;
  identity: Identity;
  recipients: Recipient[];
  log: Log;
}

export function createEventList(options: EventListOptions) {
  const crypto = options.crypto;
  let events: Signed[] = readSigned(crypto, RECORD, "event", MAX_EVENTS);

  return {
    all: () => events,

    /** Signs and seals a SenML pack, under a counter of its own. Where too many wait the oldest goes. */
    add(pack: Bytes): void {
      if (events.length >= MAX_EVENTS) {
        const oldest = events.shift() as Signed;
        eraseSigned(crypto, oldest, options.log);
        options.log("event " + fromBigEndian(oldest.kid) + " dropped: too many wait");
      }
      const counter = crypto.nextDeviceCounter();
      const make = createEventMaker(crypto);
      const made = make(options.identity, options.recipients, counter, pack);
      const record = freeRecord(RECORD, events);
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
