/** Any item of the profile's types, read and written with protocol/cbor.ts and cbor-reader.ts alone. */
import type { Bytes } from "../../protocol/bytes.ts";
import {
  ARRAY,
  BYTE_STRING,
  cborBytes,
  cborHead,
  cborInt,
  cborText,
  MAP,
  NEGATIVE,
  TAG,
  TEXT,
  UNSIGNED,
} from "../../protocol/cbor.ts";
import {
  createReader,
  type Reader,
  readBoolean,
  readInt,
  readText,
} from "../../protocol/cbor-reader.ts";

export type Item =
  | { int: number }
  | { bytes: Bytes }
  | { text: string }
  | { array: Item[] }
  | { map: [Item, Item][] }
  | { tag: number; of: Item }
  | { boolean: boolean };

function many<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

const READERS: Record<number, (reader: Reader) => Item> = {
  [UNSIGNED]: (reader) => ({ int: readInt(reader) }),
  [NEGATIVE]: (reader) => ({ int: readInt(reader) }),
  [BYTE_STRING]: (reader) => ({ bytes: reader.bytes() }),
  [TEXT]: (reader) => ({ text: readText(reader) }),
  [ARRAY]: (reader) => ({ array: many(reader.head(ARRAY), () => readItem(reader)) }),
  [MAP]: (reader) => ({
    map: many(reader.head(MAP), () => [readItem(reader), readItem(reader)]),
  }),
  [TAG]: (reader) => ({ tag: reader.head(TAG), of: readItem(reader) }),
};

function readItem(reader: Reader): Item {
  const read = READERS[reader.peek() >> 5];
  return read === undefined ? { boolean: readBoolean(reader) } : read(reader);
}

/** The one item of the bytes. */
export function readAny(bytes: Bytes): Item {
  const reader = createReader(bytes);
  const item = readItem(reader);
  reader.end();
  return item;
}

export function writeAny(item: Item): Bytes {
  if ("int" in item) return cborInt(item.int);
  if ("bytes" in item) return cborBytes(item.bytes);
  if ("text" in item) return cborText(item.text);
  if ("tag" in item) return (cborHead(TAG, item.tag) + writeAny(item.of)) as Bytes;
  if ("boolean" in item) return (item.boolean ? "\xf5" : "\xf4") as Bytes;
  if ("array" in item)
    return (cborHead(ARRAY, item.array.length) + item.array.map(writeAny).join("")) as Bytes;
  const pairs = item.map.map(([key, value]) => writeAny(key) + writeAny(value));
  return (cborHead(MAP, pairs.length) + pairs.join("")) as Bytes;
}
