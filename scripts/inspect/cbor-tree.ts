/**
 * Any well-formed CBOR (RFC 8949) as a tree, to be shown. The profile's own reader refuses
 * more; this one also says where the bytes leave the deterministic form.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { decodeFloat } from "./cbor-float.ts";

/** Far deeper than the profile's 8, and far from the end of the stack. */
const MAX_DEPTH = 32;

/** "" where the form is the shortest; otherwise what RFC 8949 section 8.1 puts behind the item. */
type Encoding = "" | "_" | "_0" | "_1" | "_2" | "_3";

export type Item = { encoding: Encoding } & (
  | { int: bigint }
  | { bytes: Bytes }
  | { text: string }
  /** A string of indefinite length, piece by piece. */
  | { pieces: Item[] }
  | { array: Item[] }
  | { map: [Item, Item][] }
  | { tag: bigint; of: Item }
  | { simple: number }
  | { float: number }
);

export interface Tree {
  item: Item;
  /** The first place that is not deterministic, in words; undefined when all is. */
  loose: string | undefined;
}

interface Head {
  at: number;
  major: number;
  info: number;
  value: bigint;
  encoding: Encoding;
}

const INDEFINITE = 31;
const BREAK = 0xff;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The least argument for which each longer form is the shortest. */
const LEAST = [24n, 256n, 65536n, 4294967296n];

/** Reads the one item that the bytes are; "cbor" with the place where they are not. */
export function readTree(bytes: Bytes): Tree {
  const buffer = Buffer.from(bytes, "latin1");
  let at = 0;
  let loose: string | undefined;

  function note(place: number, what: string): void {
    loose ??= `byte ${place}: ${what}`;
  }

  function take(length: number | bigint, from: number): Buffer {
    const left = buffer.length - at;
    if (length > left)
      fail("cbor", `CBOR at byte ${from}, expected ${length} more bytes, got ${left}`);
    const start = at;
    at += Number(length);
    return buffer.subarray(start, at);
  }

  function readHead(): Head {
    const start = at;
    const initial = take(1, start)[0] as number;
    const [major, info] = [initial >> 5, initial & 31];
    if (info < 24) return { at: start, major, info, value: BigInt(info), encoding: "" };
    if (info === INDEFINITE) return { at: start, major, info, value: 0n, encoding: "_" };
    const step = info - 24;
    if (step > 3)
      fail("cbor", `CBOR at byte ${start}, expected a length of 0 to 27 or 31, got ${info}`);
    const digits = take(1 << step, start).toString("hex");
    const value = BigInt(`0x${digits}`);
    const isShort = major === 7 || value >= (LEAST[step] as bigint);
    if (!isShort) note(start, "not the shortest form");
    return { at: start, major, info, value, encoding: isShort ? "" : (`_${step}` as Encoding) };
  }

  function atBreak(): boolean {
    if (buffer[at] !== BREAK) return false;
    at++;
    return true;
  }

  function toText(piece: Buffer, place: number): string {
    try {
      return UTF8.decode(piece);
    } catch {
      return fail("cbor", `CBOR at byte ${place}, expected UTF-8, got other bytes`);
    }
  }

  function stringOf({ at: place, major, value, encoding }: Head): Item {
    const piece = take(value, place);
    return major === 2
      ? { bytes: piece.toString("latin1") as Bytes, encoding }
      : { text: toText(piece, place), encoding };
  }

  function pieces({ at: place, major }: Head): Item {
    const found: Item[] = [];
    while (!atBreak()) {
      const head = readHead();
      if (head.major !== major || head.info === INDEFINITE)
        fail("cbor", `CBOR at byte ${head.at}, expected a piece of the string of byte ${place}`);
      found.push(stringOf(head));
    }
    return { pieces: found, encoding: "_" };
  }

  /** Calls `read` for each element that the head announces. */
  function each(head: Head, read: () => void): void {
    if (head.info === INDEFINITE) while (!atBreak()) read();
    else for (let left = head.value; left > 0n; left--) read();
  }

  function mapOf(head: Head, depth: number): Item {
    const map: [Item, Item][] = [];
    let before = "";
    each(head, () => {
      const start = at;
      const key = readItem(depth);
      const encoded = bytes.slice(start, at);
      if (map.length > 0 && encoded <= before)
        note(start, encoded === before ? "a key twice" : "keys out of order");
      before = encoded;
      map.push([key, readItem(depth)]);
    });
    return { map, encoding: head.encoding };
  }

  function simpleOf({ at: place, info, value }: Head): Item {
    if (info === INDEFINITE)
      fail("cbor", `CBOR at byte ${place}, expected an item, got a break outside its string`);
    if (info > 24)
      return { float: decodeFloat(info, value), encoding: `_${info - 24}` as Encoding };
    if (info === 24 && value < 32n)
      fail("cbor", `CBOR at byte ${place}, expected a simple value from 32, got ${value}`);
    return { simple: Number(value), encoding: "" };
  }

  function checkDefinite({ at: place, major, info }: Head): void {
    if (info !== INDEFINITE || major === 7) return;
    if (major < 2 || major === 6)
      fail("cbor", `CBOR at byte ${place}, expected a definite argument, got 31`);
    note(place, "an indefinite length");
  }

  function readItem(depth: number): Item {
    if (depth === 0) fail("cbor", `CBOR at byte ${at}, expected at most ${MAX_DEPTH} levels`);
    const head = readHead();
    checkDefinite(head);
    const { major, info, value, encoding } = head;
    if (major === 0) return { int: value, encoding };
    if (major === 1) return { int: -1n - value, encoding };
    if (major < 4) return info === INDEFINITE ? pieces(head) : stringOf(head);
    if (major === 5) return mapOf(head, depth - 1);
    if (major === 6) return { tag: value, of: readItem(depth - 1), encoding };
    if (major === 7) return simpleOf(head);
    const array: Item[] = [];
    each(head, () => array.push(readItem(depth - 1)));
    return { array, encoding };
  }

  const item = readItem(MAX_DEPTH);
  if (at < buffer.length)
    fail("cbor", `CBOR at byte ${at}, expected the end, got ${buffer.length - at} more bytes`);
  return { item, loose };
}
