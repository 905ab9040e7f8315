/** ESP-IDF's two kinds of binary: an image that a chip boots, and the table of partitions. */

/** The chips by the number in an image's head, as ESP-IDF 4.4 and later give them. */
const CHIPS: Record<number, string> = {
  0: "esp32",
  2: "esp32-s2",
  5: "esp32-c3",
  9: "esp32-s3",
  12: "esp32-c2",
  13: "esp32-c6",
  16: "esp32-h2",
  18: "esp32-p4",
};

const IMAGE_MAGIC = 0xe9;
const HEAD_LENGTH = 24;
const SEGMENT_HEAD_LENGTH = 8;
/** More than any build has: what claims more is none. */
const MAX_SEGMENTS = 16;
const CHECKSUM_SEED = 0xef;
/** The checksum is the last byte of a block of 16. */
const BLOCK = 16;

export interface EspImage {
  chip: string;
  /** Of the image itself: what follows in a file is something else. */
  length: number;
}

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function isEspImage(bytes: Uint8Array): boolean {
  return bytes.length >= HEAD_LENGTH && bytes[0] === IMAGE_MAGIC;
}

/** Reads an image and its checksum; undefined for what is none, or is cut off or damaged. */
export function readEspImage(bytes: Uint8Array): EspImage | undefined {
  if (!isEspImage(bytes)) return undefined;
  const view = viewOf(bytes);
  const segments = view.getUint8(1);
  if (segments === 0 || segments > MAX_SEGMENTS) return undefined;
  let at = HEAD_LENGTH;
  let checksum = CHECKSUM_SEED;
  for (let segment = 0; segment < segments; segment++) {
    if (at + SEGMENT_HEAD_LENGTH > bytes.length) return undefined;
    const end = at + SEGMENT_HEAD_LENGTH + view.getUint32(at + 4, true);
    if (end > bytes.length) return undefined;
    for (const byte of bytes.subarray(at + SEGMENT_HEAD_LENGTH, end)) checksum ^= byte;
    at = end;
  }
  const length = at + BLOCK - (at % BLOCK);
  if (bytes[length - 1] !== checksum) return undefined;
  const id = view.getUint16(12, true);
  return { chip: CHIPS[id] ?? `number ${id}`, length };
}

export interface Partition {
  label: string;
  type: number;
  subtype: number;
  offset: number;
  size: number;
}

const ENTRY_LENGTH = 32;
const ENTRY_MAGIC = 0x50aa;
const LABEL_AT = 12;
const LABEL_LENGTH = 16;

/** The entries of a partition table; none for what is no table. */
export function readPartitions(bytes: Uint8Array): Partition[] {
  const view = viewOf(bytes);
  const found: Partition[] = [];
  for (let at = 0; at + ENTRY_LENGTH <= bytes.length; at += ENTRY_LENGTH) {
    if (view.getUint16(at, true) !== ENTRY_MAGIC) break;
    const label = bytes.subarray(at + LABEL_AT, at + LABEL_AT + LABEL_LENGTH);
    found.push({
      label: new TextDecoder("latin1").decode(label).replace(/\0.*$/s, ""),
      type: view.getUint8(at + 2),
      subtype: view.getUint8(at + 3),
      offset: view.getUint32(at + 4, true),
      size: view.getUint32(at + 8, true),
    });
  }
  return found;
}
