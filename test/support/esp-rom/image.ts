/** Images as Espruino's build makes them, with nothing in them that runs. */

const SEGMENT_LENGTH = 4096;

export function makeEspImage(chipId: number, text: string, length = SEGMENT_LENGTH): Uint8Array {
  const segment = new Uint8Array(length);
  segment.set(new TextEncoder().encode(text));
  for (let at = text.length; at < length; at++) segment[at] = (at * 7) & 0xff;
  const end = 24 + 8 + length;
  const bytes = new Uint8Array(end + 16 - (end % 16) + 32);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0xe9);
  view.setUint8(1, 1);
  view.setUint16(12, chipId, true);
  view.setUint32(28, length, true);
  bytes.set(segment, 32);
  bytes[end + 15 - (end % 16)] = segment.reduce((sum, byte) => sum ^ byte, 0xef);
  return bytes;
}

/** label, type, subtype, offset, size: as native/espruino/boards/partitions.csv. */
const OURS: [string, number, number, number, number][] = [
  ["nvs", 1, 2, 0x9000, 0x4000],
  ["otadata", 1, 0, 0xd000, 0x2000],
  ["phy_init", 1, 1, 0xf000, 0x1000],
  ["ota_0", 0, 0x10, 0x10000, 0x180000],
  ["ota_1", 0, 0x11, 0x190000, 0x180000],
  ["flash", 1, 0x40, 0x310000, 0x10000],
  ["storage", 1, 6, 0x320000, 0x80000],
  ["ring", 1, 0x41, 0x3a0000, 0x50000],
  ["devkeys", 1, 2, 0x3f0000, 0x10000],
];

export function makePartitionTable(entries = OURS): Uint8Array {
  const bytes = new Uint8Array(0xc00).fill(0xff);
  const view = new DataView(bytes.buffer);
  for (const [index, [label, type, subtype, offset, size]] of entries.entries()) {
    const at = index * 32;
    bytes.fill(0, at, at + 32);
    view.setUint16(at, 0x50aa, true);
    view.setUint8(at + 2, type);
    view.setUint8(at + 3, subtype);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, size, true);
    bytes.set(new TextEncoder().encode(label), at + 12);
  }
  return bytes;
}

export const STOCK_TABLE = makePartitionTable([
  ["nvs", 1, 2, 0x9000, 0x6000],
  ["phy_init", 1, 1, 0xf000, 0x1000],
  ["factory", 0, 0, 0x10000, 0x1f4000],
  ["flash", 1, 0x40, 0x310000, 0x10000],
  ["storage", 1, 6, 0x320000, 0xe0000],
]);

export const OUR_TEXT = "Espruino\0devcrypto,timer,Flash\0keyAgreementWrap\0";
export const C3 = 5;
export const S3 = 9;

export function makeParts(chipId = C3, text = OUR_TEXT) {
  return {
    kind: "parts" as const,
    bootloader: makeEspImage(chipId, "bootloader"),
    partitionTable: makePartitionTable(),
    application: makeEspImage(chipId, text, 50_000),
  };
}

export function merge({ bootloader, partitionTable, application }: ReturnType<typeof makeParts>) {
  const bytes = new Uint8Array(0x10000 + application.length).fill(0xff);
  bytes.set(bootloader, 0);
  bytes.set(partitionTable, 0x8000);
  bytes.set(application, 0x10000);
  return { kind: "merged" as const, bytes };
}
