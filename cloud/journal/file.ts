/**
 * The journal's file: a line for each transaction, a check before each, synced before the
 * database commits what the entry protects. Whoever reads to write holds the database's
 * write lock; so the file needs none of its own.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { CHECK_LENGTH, checkOf, encodeEntries, type JournalEntry, parseEntries } from "./entry.ts";

/** Where a reader stands: bytes from the start, and the check of the line that ends there. */
export interface Position {
  size: number;
  check: string;
}

export const START: Position = { size: 0, check: "" };

export interface Line {
  entries: JournalEntry[];
  /** The place behind it. */
  end: Position;
}

export interface JournalFile {
  /**
   * The lines behind a place. A last line that is cut off or broken is a write that a
   * crash ended: what it was to protect was never committed, so it counts for nothing.
   * A broken line before others is damage, and refused.
   */
  read(from: Position): Line[];
  /** Writes one line at the end that `read` found, over a torn one; gives the new end. */
  append(entries: JournalEntry[], end: Position): Position;
  close(): void;
}

const NEWLINE = 10;

function bytesFrom(file: number, at: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - at));
  let length = 0;
  while (length < buffer.length) {
    const got = readSync(file, buffer, length, buffer.length - length, at + length);
    if (got === 0) break;
    length += got;
  }
  return buffer.subarray(0, length);
}

function parseLine(text: string, previous: string): JournalEntry[] | undefined {
  const body = text.substring(CHECK_LENGTH + 1);
  if (text.substring(0, CHECK_LENGTH) !== checkOf(previous, body)) return undefined;
  return parseEntries(body);
}

function parseLines(path: string, bytes: Buffer, from: Position): Line[] {
  const lines: Line[] = [];
  let start = 0;
  let { check } = from;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return lines;
    const text = bytes.toString("utf8", start, end);
    const entries = parseLine(text, check);
    if (!entries && end + 1 === bytes.length) return lines;
    if (!entries)
      throw new Error(
        `${path}, expected whole lines, got a damaged one at byte ${from.size + start}: put back an undamaged copy`,
      );
    check = text.substring(0, CHECK_LENGTH);
    start = end + 1;
    lines.push({ entries, end: { size: from.size + start, check } });
  }
}

function writeAll(file: number, bytes: Buffer, at: number): void {
  let written = 0;
  while (written < bytes.length)
    written += writeSync(file, bytes, written, bytes.length - written, at + written);
}

function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** All whole lines of a file, for one who only looks. */
export function readJournalFile(path: string): Line[] {
  const file = openSync(path, constants.O_RDONLY);
  try {
    return parseLines(path, bytesFrom(file, 0), START);
  } finally {
    closeSync(file);
  }
}

/** `mayMake`: false when the database says that its journal exists. */
export function openJournalFile(path: string, mayMake: boolean): JournalFile {
  const isNew = !existsSync(path);
  if (isNew && !mayMake)
    throw new Error(
      `${path}, expected the journal beside its database, got none: put it back, or run "coseflow journal rebuild" if it is lost for good`,
    );
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (isNew) syncDirectory(path);
  return {
    read: (from) => parseLines(path, bytesFrom(file, from.size), from),
    append(entries, end) {
      const body = encodeEntries(entries);
      const check = checkOf(end.check, body);
      const bytes = Buffer.from(`${check} ${body}\n`, "utf8");
      if (fstatSync(file).size > end.size) ftruncateSync(file, end.size);
      writeAll(file, bytes, end.size);
      fsyncSync(file);
      return { size: end.size + bytes.length, check };
    },
    close: () => closeSync(file),
  };
}
