import { describe, expect, it } from "vitest";
import type { FlashFailure } from "../../../scripts/flash/failure.ts";
import { type ImageFiles, readImage } from "../../../scripts/flash/image.ts";
import {
  C3,
  makeEspImage,
  makePartitionTable,
  makeParts,
  merge,
  OUR_TEXT,
  S3,
  STOCK_TABLE,
} from "../../support/esp-rom/image.ts";

const TARGET = { chip: "esp32-c3", flashMegabytes: 4 };

function refusal(files: ImageFiles, target = TARGET): string {
  try {
    readImage(files, target);
  } catch (error) {
    expect((error as FlashFailure).step).toBe("files");
    return (error as Error).message;
  }
  return "taken";
}

describe("an image", () => {
  it("goes where chip and partition table say, the choice of the application blank", () => {
    const files = makeParts();
    const { chip, end, parts } = readImage(files, TARGET);
    expect({ chip, end }).toEqual({ chip: "esp32-c3", end: 0x400000 });
    expect(parts.map(({ name, offset }) => [name, offset])).toEqual([
      ["bootloader", 0],
      ["partition table", 0x8000],
      ["choice of the application", 0xd000],
      ["application", 0x10000],
    ]);
    expect(parts[3]?.data).toEqual(files.application);
    expect(parts[2]?.data).toEqual(new Uint8Array(0x2000).fill(0xff));
  });

  it("is the same as one merged file", () => {
    const parts = makeParts();
    const merged = readImage(merge(parts), TARGET).parts;
    const split = readImage(parts, TARGET).parts;
    expect(merged[0]).toEqual(split[0]);
    expect(merged[3]).toEqual(split[3]);
  });

  it("of a stock Espruino is refused, with the reason and where to build one", () => {
    const message = refusal(makeParts(C3, "Espruino\0timer,Flash,crypto"));
    expect(message).toContain("without devcrypto");
    expect(message).toContain("docs/building.md");
    // One of the two names alone may be anything.
    expect(refusal(makeParts(C3, "Espruino\0devcrypto"))).toContain("without devcrypto");
  });

  it("that is no Espruino is refused", () => {
    expect(refusal(makeParts(C3, "blink"))).toContain("not Espruino");
  });

  it("for another chip is refused, naming both; a classic ESP32 with the reason", () => {
    expect(refusal(makeParts(S3))).toMatch(/esp32-s3.*esp32-c3/);
    expect(refusal(makeParts(0))).toMatch(/esp32, which is not supported: .*memory/);
    const mixed = { ...makeParts(), application: makeEspImage(S3, OUR_TEXT) };
    expect(refusal(mixed)).toContain("application is for the chip esp32-s3");
  });

  it("for a computer there is none", () => {
    expect(refusal(makeParts(), { chip: "linux", flashMegabytes: 4 })).toContain("--image");
  });

  it("that is cut off, damaged or something else is refused", () => {
    const parts = makeParts();
    const cut = parts.application.slice(0, 40_000);
    expect(refusal({ ...parts, application: cut })).toContain("cut off or damaged");
    const damaged = parts.application.slice();
    damaged[1000] = (damaged[1000] as number) ^ 1;
    expect(refusal({ ...parts, application: damaged })).toContain("cut off or damaged");
    expect(refusal({ ...parts, bootloader: new Uint8Array(10) })).toContain("no image of a chip");
    expect(refusal({ kind: "merged", bytes: new Uint8Array(0) })).toContain("one part alone");
  });

  it("alone, without what it needs to start, is refused with what to name instead", () => {
    const { application } = makeParts();
    expect(refusal({ kind: "merged", bytes: application })).toMatch(/one part alone.*\.tgz/);
  });

  it("with the layout of another build, or for more flash than there is, is refused", () => {
    expect(refusal({ ...makeParts(), partitionTable: STOCK_TABLE })).toContain('"ring", "devkeys"');
    expect(refusal(makeParts(), { ...TARGET, flashMegabytes: 2 })).toContain("2 MB");
    expect(refusal({ ...makeParts(), partitionTable: new Uint8Array(0xc00) })).toContain("no part");
  });

  it("larger than its place is refused", () => {
    const small = makePartitionTable([
      ["ota_0", 0, 0x10, 0x10000, 0x1000],
      ["storage", 1, 6, 0x320000, 0x80000],
      ["ring", 1, 0x41, 0x3a0000, 0x50000],
      ["devkeys", 1, 2, 0x3f0000, 0x10000],
    ]);
    expect(refusal({ ...makeParts(), partitionTable: small })).toContain("its partition 4096");
  });
});
