import { join } from "node:path";
import { fromBuffer, toBuffer } from "../../cloud/crypto/convert.ts";
import type { DeviceRecords } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { crc32 } from "./crc32.ts";
import { bounded, checkId, RECORD_LIMIT } from "./limits.ts";
import { erasePrivateFile, readPrivateFile, writePrivateFile } from "./private-file.ts";

/*
 * One slot of a record, as the C module writes it (native/core/record.c):
 *   0   4  "cfrc"
 *   4   1  version of this layout
 *   5   4  sequence, from 1
 *   9   2  length of the content
 *  11   n  content
 * 11+n  4  CRC-32 of all before
 */
const MAGIC_AND_VERSION = Buffer.from("cfrc\x01", "latin1");
const SEQUENCE_AT = 5;
const LENGTH_AT = 9;
const CONTENT_AT = 11;
const CRC_SIZE = 4;
const SEQUENCE_LIMIT = 2 ** 32 - 1;

interface Record {
  readonly sequence: number;
  readonly content: Buffer;
}
type Slot = Record | "absent" | "damaged";
type Index = 0 | 1;

/** The records of a directory that the caller has claimed. */
export function createRecords(directory: string): Omit<DeviceRecords, "eraseAll"> {
  function read(id: string, index: Index): Slot {
    const bytes = readPrivateFile(join(directory, fileOf(id, index)));
    return bytes === undefined ? "absent" : (decode(bytes) ?? "damaged");
  }

  function look(id: string): { slots: [Slot, Slot]; newest: Index } {
    const slots: [Slot, Slot] = [read(checkId(id), 0), read(id, 1)];
    return { slots, newest: sequenceOf(slots[1]) > sequenceOf(slots[0]) ? 1 : 0 };
  }

  function write(id: string, index: Index, record: Record): void {
    writePrivateFile(directory, fileOf(id, index), encode(record));
    const stored = read(id, index);
    const isSame = sequenceOf(stored) === record.sequence && typeof stored !== "string";
    if (!isSame || !stored.content.equals(record.content))
      fail("store", `record "${id}", expected what was written, got something else`);
  }

  return {
    writeRecord(id, content) {
      const buffer = toBuffer(bounded(content, "record", RECORD_LIMIT), "record");
      const { slots, newest } = look(id);
      const last = sequenceOf(slots[newest]);
      if (last >= SEQUENCE_LIMIT - 1)
        fail("sequence", `record "${id}", expected fewer writes, got ${last}`);
      write(id, flip(newest), { sequence: last + 1, content: buffer });
      // The first write fills both slots: one damaged beside a missing one is a cut first write.
      if (last === 0) write(id, newest, { sequence: 2, content: buffer });
    },

    readRecord(id) {
      const { slots, newest } = look(id);
      const record = slots[newest];
      if (typeof record !== "string") return fromBuffer(record.content);
      if (slots.includes("absent")) return undefined;
      return fail("store", `record "${id}", expected a whole one, got two damaged`);
    },

    eraseRecord(id) {
      const { newest } = look(id);
      // The older one first: an old value must not come back when the power is cut between.
      erasePrivateFile(directory, fileOf(id, flip(newest)));
      erasePrivateFile(directory, fileOf(id, newest));
    },
  };
}

function fileOf(id: string, index: Index): string {
  return `r-${id}-${index === 0 ? "a" : "b"}`;
}

function flip(index: Index): Index {
  return index === 0 ? 1 : 0;
}

/** A slot that holds no record is older than any. */
function sequenceOf(slot: Slot): number {
  return typeof slot === "string" ? 0 : slot.sequence;
}

function encode({ sequence, content }: Record): Buffer {
  const head = Buffer.alloc(CONTENT_AT);
  MAGIC_AND_VERSION.copy(head);
  head.writeUInt32BE(sequence, SEQUENCE_AT);
  head.writeUInt16BE(content.length, LENGTH_AT);
  const tail = Buffer.alloc(CRC_SIZE);
  tail.writeUInt32BE(crc32(head, content));
  return Buffer.concat([head, content, tail]);
}

function decode(bytes: Buffer): Record | undefined {
  const length = bytes.length - CONTENT_AT - CRC_SIZE;
  if (length < 0 || length > RECORD_LIMIT) return undefined;
  if (!bytes.subarray(0, SEQUENCE_AT).equals(MAGIC_AND_VERSION)) return undefined;
  if (bytes.readUInt16BE(LENGTH_AT) !== length) return undefined;
  const end = bytes.length - CRC_SIZE;
  if (bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end))) return undefined;
  const sequence = bytes.readUInt32BE(SEQUENCE_AT);
  return sequence < 1 ? undefined : { sequence, content: bytes.subarray(CONTENT_AT, end) };
}
