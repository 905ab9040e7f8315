import { crc32 } from "./crc32.ts";

/*
 * The layout of the ring in flash, as the C module writes it and explains it
 * (native/core/ring.c): sectors with a header (magic, number in the order of use, CRC),
 * entries with length, its complement, CRC and a mark that drops all up to here.
 */
const SECTOR = 4096;
const SECTORS = 16;
export const FLASH_SIZE = SECTOR * SECTORS;
const MAGIC = Buffer.from("cfrg", "latin1");
const SECTOR_HEADER = 16;
const ENTRY_HEADER = 12;
const CRC_AT = 4;
const MARK_AT = 8;
const LENGTH_LIMIT = 1024 + 64;

/** Writes a change through to what keeps the image. */
export type Put = (at: number, content: Buffer) => void;

interface Entry {
  readonly at: number;
  readonly length: number;
}

export function blankFlash(): Buffer {
  return Buffer.alloc(FLASH_SIZE, 0xff);
}

/** The queue in an image of the flash, which is kept up to date with what is put. */
export function openLog(image: Buffer, put: Put) {
  let state = scan(image);
  /** Entries lost so since the last append that succeeded. */
  let lost = 0;

  /** What the flash holds after a failure is found out again, as the C module does. */
  function orRescan<T>(change: () => T): T {
    try {
      return change();
    } catch (error) {
      const before = state.entries.length;
      state = scan(image);
      lost += Math.max(0, before - state.entries.length);
      throw error;
    }
  }

  /** As NOR does it: bits are only cleared. */
  function write(at: number, content: Buffer): void {
    const bytes = Buffer.from(content);
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = (bytes[i] as number) & (image[at + i] as number);
    put(at, bytes);
    bytes.copy(image, at);
  }

  function erase(sector: number): void {
    const blank = Buffer.alloc(SECTOR, 0xff);
    put(sector * SECTOR, blank);
    blank.copy(image, sector * SECTOR);
  }

  /** Takes the oldest sector for what comes, and loses the entries in it. */
  function openSector(): void {
    const sector = (state.newest + 1) % SECTORS;
    const kept = state.entries.filter(({ at }) => Math.floor(at / SECTOR) !== sector);
    const evicted = state.entries.length - kept.length;
    write(sector * SECTOR, Buffer.alloc(SECTOR_HEADER));
    erase(sector);
    write(sector * SECTOR, sectorHeader(state.sequence + 1));
    state.entries = kept;
    state.newest = sector;
    state.sequence++;
    state.writeAt = SECTOR_HEADER;
    lost += evicted;
  }

  function writeEntry(content: Buffer): void {
    const size = sizeOf(content.length);
    if (state.writeAt + size >= SECTOR) openSector();
    const at = state.newest * SECTOR + state.writeAt;
    write(at, entryHeader(content));
    write(at + ENTRY_HEADER, content);
    state.entries.push({ at, length: content.length });
    state.writeAt += size;
  }

  return {
    /** The number of entries lost to make room since the last append that succeeded. */
    append(content: Buffer): number {
      orRescan(() => writeEntry(content));
      const told = lost;
      lost = 0;
      return told;
    },

    peek(index: number): Buffer | undefined {
      const entry = state.entries[index];
      if (entry === undefined) return undefined;
      const from = entry.at + ENTRY_HEADER;
      return image.subarray(from, from + entry.length);
    },

    drop(count: number): void {
      const last = state.entries[Math.min(count, state.entries.length) - 1];
      if (last === undefined) return;
      orRescan(() => write(last.at + MARK_AT, Buffer.alloc(ENTRY_HEADER - MARK_AT)));
      state.entries.splice(0, count);
    },

    count: () => state.entries.length,
  };
}

function sizeOf(length: number): number {
  return Math.ceil((ENTRY_HEADER + length) / 4) * 4;
}

function sectorHeader(sequence: number): Buffer {
  const header = Buffer.alloc(12);
  MAGIC.copy(header);
  header.writeUInt32BE(sequence, 4);
  header.writeUInt32BE(crc32(header.subarray(0, 8)), 8);
  return header;
}

function entryHeader(content: Buffer): Buffer {
  const header = Buffer.alloc(MARK_AT);
  header.writeUInt16BE(content.length);
  header.writeUInt16BE(~content.length & 0xffff, 2);
  header.writeUInt32BE(crc32(header.subarray(0, 2), content), CRC_AT);
  return header;
}

/** The sector's number; 0 when it has no whole header. */
function sequenceOf(image: Buffer, sector: number): number {
  const header = image.subarray(sector * SECTOR, sector * SECTOR + 12);
  const sequence = header.readUInt32BE(4);
  return sectorHeader(sequence).equals(header) ? sequence : 0;
}

function scan(image: Buffer) {
  const sequences = Array.from({ length: SECTORS }, (_, sector) => sequenceOf(image, sector));
  const sequence = Math.max(...sequences);
  // An empty flash begins with sector 0.
  const newest = sequence === 0 ? SECTORS - 1 : sequences.indexOf(sequence);
  let entries: Entry[] = [];
  let writeAt = SECTOR;
  for (let behind = SECTORS - 1; behind >= 0 && sequence > 0; behind--) {
    const sector = (newest + SECTORS - behind) % SECTORS;
    if (sequences[sector] === 0 || sequences[sector] !== sequence - behind) continue;
    const found = scanSector(image, sector * SECTOR);
    entries = found.dropsEarlier ? found.entries : [...entries, ...found.entries];
    writeAt = found.writeAt;
  }
  return { newest, sequence, writeAt, entries };
}

/** The entries of a sector that are not dropped, and where the next one goes. */
function scanSector(image: Buffer, base: number) {
  let entries: Entry[] = [];
  let dropsEarlier = false;
  let writeAt = SECTOR_HEADER;
  for (;;) {
    const length = lengthAt(image, base, writeAt);
    if (typeof length === "string")
      return { entries, dropsEarlier, writeAt: length === "blank" ? writeAt : SECTOR };
    const at = base + writeAt;
    writeAt += sizeOf(length);
    if (!isWhole(image, at, length)) continue;
    entries.push({ at, length });
    if (image.readUInt32BE(at + MARK_AT) === 0xffffffff) continue;
    entries = [];
    dropsEarlier = true;
  }
}

function lengthAt(image: Buffer, base: number, offset: number): number | "blank" | "torn" {
  const room = SECTOR - offset;
  if (room < ENTRY_HEADER) return "torn";
  const header = image.subarray(base + offset, base + offset + ENTRY_HEADER);
  if (header.every((byte) => byte === 0xff)) return "blank";
  const length = header.readUInt16BE();
  const fits = (length ^ header.readUInt16BE(2)) === 0xffff && sizeOf(length) < room;
  return fits && length > 0 && length <= LENGTH_LIMIT ? length : "torn";
}

function isWhole(image: Buffer, at: number, length: number): boolean {
  const content = image.subarray(at + ENTRY_HEADER, at + ENTRY_HEADER + length);
  return image.readUInt32BE(at + CRC_AT) === crc32(image.subarray(at, at + 2), content);
}
