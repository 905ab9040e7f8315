/** Any item of the profile's types, read and written with protocol/cbor.ts alone. */
import type { Bytes } from "../../protocol/bytes.ts";
import {
  ARRAY,
  BYTE_STRING,
  type Cursor,
  cborBytes,
  cborHead,
  cborInt,
  cborText,
  MAP,
  NEGATIVE,
  readBoolean,
  readBytes,
  readEnd,
  readHead,
  readInt,
  readText,
  TAG,
  TEXT,
  UNSIGNED,
} from "../../protocol/cbor.ts";

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

const READERS: Record<number, (cursor: Cursor) => Item> = {
  [UNSIGNED]: (cursor) => ({ int: readInt(cursor) }),
  [NEGATIVE]: (cursor) => ({ int: readInt(cursor) }),
  [BYTE_STRING]: (cursor) => ({ bytes: readBytes(cursor) }),
  [TEXT]: (cursor) => ({ text: readText(cursor) }),
  [ARRAY]: (cursor) => ({ array: many(readHead(cursor, ARRAY), () => readItem(cursor)) }),
  [MAP]: (cursor) => ({
    map: many(readHead(cursor, MAP), () => [readItem(cursor), readItem(cursor)]),
  }),
  [TAG]: (cursor) => ({ tag: readHead(cursor, TAG), of: readItem(cursor) }),
};

export function readItem(cursor: Cursor): Item {
  const read = READERS[cursor.bytes.charCodeAt(cursor.at) >> 5];
  return read === undefined ? { boolean: readBoolean(cursor) } : read(cursor);
}

/** The one item of the bytes. */
export function readAny(bytes: Bytes): Item {
  const cursor = { bytes, at: 0 };
  const item = readItem(cursor);
  readEnd(cursor);
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
