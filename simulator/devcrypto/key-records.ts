import { join } from "node:path";
import { fail } from "../../protocol/errors.ts";
import { erasePrivateFile, readPrivateFile, writePrivateFile } from "./private-file.ts";
import { decodeRecord, encodeRecord, type KeyRecord } from "./record.ts";

/** Added to the counter when a record is lost: more than the lost one can have been ahead. */
export const COUNTER_JUMP = 1024;
/** A session key id, which the counter becomes, has at most 4 bytes. */
export const COUNTER_LIMIT = 2 ** 32 - 1;

/*
 * Copies of the record are left to the collector: while the module is open the key
 * is in this process's memory anyway.
 */

type Index = 0 | 1;
type Slot = KeyRecord | "absent" | "damaged";

export interface KeyRecords {
  /** The newest record, undefined before the first is whole; "store" when nothing is valid later on. */
  load(): KeyRecord | undefined;
  /** Writes both slots, so that a missing one later on is known as a loss. */
  create(secret: Buffer, publicKey: Buffer): KeyRecord;
  /**
   * Stores the next value of the counter and returns it once it has been read back.
   * "sequence" at its limit.
   */
  nextCounter(): number;
  /** Stores a value further on; changes nothing for any other. */
  moveCounter(counter: number): void;
  /** True when either slot holds anything. */
  exists(): boolean;
  erase(): void;
}

/**
 * The records of one stored key in a directory that the caller has claimed. Two slots,
 * written in turn: a write that goes wrong costs the older record.
 */
export function openKeyRecords(directory: string, id: string): KeyRecords {
  const files = [`${id}-a`, `${id}-b`] as const;

  function read(index: Index): Slot {
    const content = readPrivateFile(join(directory, files[index]));
    return content === undefined ? "absent" : (decodeRecord(content) ?? "damaged");
  }

  function write(index: Index, record: KeyRecord): KeyRecord {
    const content = encodeRecord(record);
    writePrivateFile(directory, files[index], content);
    const stored = readPrivateFile(join(directory, files[index]));
    if (stored === undefined || !stored.equals(content))
      fail("store", "key record, expected what was written, got something else");
    return record;
  }

  function newest(): { index: Index; record: KeyRecord } | undefined {
    const slots = [read(0), read(1)] as const;
    // Nothing, or a first write of slot a that was cut: no key was given out before slot b.
    if (typeof slots[0] === "string" && slots[1] === "absent") return undefined;
    const index = sequenceOf(slots[1]) > sequenceOf(slots[0]) ? 1 : 0;
    const record = slots[index];
    const other = slots[flip(index)];
    if (typeof record === "string")
      return fail("store", `key record, expected a valid slot, got ${record} and ${other}`);
    if (typeof other !== "string" && !other.publicKey.equals(record.publicKey))
      return fail("store", "key record, expected one key, got two");
    return sequenceOf(other) + 1 === record.sequence ? { index, record } : jump(index, record);
  }

  /** The lost record may have been the newer one, its counter already used. */
  function jump(index: Index, record: KeyRecord) {
    const counter = Math.min(record.counter + COUNTER_JUMP, COUNTER_LIMIT);
    return advance(index, record, counter);
  }

  function advance(index: Index, record: KeyRecord, counter: number) {
    const next = { ...record, counter, sequence: record.sequence + 1 };
    return { index: flip(index), record: write(flip(index), next) };
  }

  return {
    load: () => newest()?.record,

    create(secret, publicKey) {
      const first = { sequence: 1, counter: 0, secret, publicKey };
      return advance(0, write(0, first), 0).record;
    },

    nextCounter() {
      const last = newest();
      if (last === undefined) return fail("store", "key record, expected one, got none");
      const { counter } = last.record;
      if (counter >= COUNTER_LIMIT)
        fail("sequence", `counter, expected less than ${COUNTER_LIMIT}, got ${counter}`);
      return advance(last.index, last.record, counter + 1).record.counter;
    },

    moveCounter(counter) {
      const last = newest();
      if (last === undefined) return fail("store", "key record, expected one, got none");
      if (counter > last.record.counter) advance(last.index, last.record, counter);
    },

    exists: () => files.some((file) => readPrivateFile(join(directory, file)) !== undefined),

    erase() {
      for (const file of files) erasePrivateFile(directory, file);
    },
  };
}

function flip(index: Index): Index {
  return index === 0 ? 1 : 0;
}

/** A slot that holds no record is older than any. */
function sequenceOf(slot: Slot): number {
  return typeof slot === "string" ? 0 : slot.sequence;
}
