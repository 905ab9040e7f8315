import {
  type EspImage,
  isEspImage,
  type Partition,
  readEspImage,
  readPartitions,
} from "./esp-image.ts";
import { FlashFailure } from "./failure.ts";

/** Where a fresh chip looks first (its ROM), and where the second stage looks (ESP-IDF's default). */
const BOOTLOADER_AT = 0;
const TABLE_AT = 0x8000;
/** To where the next part may begin: ESP-IDF gives the table one sector. */
const TABLE_LENGTH = 0x1000;

/** ESP-IDF's numbers of what a partition holds. */
const TYPE_APP = 0;
const TYPE_DATA = 1;
const SUBTYPE_OTADATA = 0;

/** Partitions of native/espruino/boards/partitions.csv that a stock Espruino has not. */
const OUR_PARTITIONS = ["storage", "ring", "devkeys"];
/**
 * Names that Espruino's build puts into the image for require("devcrypto"): of the
 * library, and of a function that no other library has.
 */
const DEVCRYPTO_MARKS = ["devcrypto", "keyAgreementWrap"];
const ESPRUINO_MARK = "Espruino";

/** Chips whose images there are; of the others the reason is given. */
const SUPPORTED = ["esp32-c3", "esp32-s3"];

const BUILD_PAGE = "docs/building.md";

/** The files that Espruino's build makes for a chip, or one file with all of it. */
export type ImageFiles =
  | { kind: "merged"; bytes: Uint8Array }
  | { kind: "parts"; bootloader: Uint8Array; partitionTable: Uint8Array; application: Uint8Array };

export interface Part {
  name: string;
  offset: number;
  data: Uint8Array;
}

/** What goes where in the flash of one kind of chip. */
export interface Image {
  chip: string;
  parts: Part[];
  /** One past the last byte that the layout of the flash takes. */
  end: number;
}

export interface Target {
  /** Of the board file. */
  chip: string;
  flashMegabytes: number;
}

function refuse(reason: string, next: string): never {
  throw new FlashFailure("files", reason, next);
}

const buildIt = `build Espruino with devcrypto as ${BUILD_PAGE} says, and name its .tgz`;

function contains(bytes: Uint8Array, mark: string): boolean {
  const codes = [...mark].map((letter) => letter.charCodeAt(0));
  for (let at = bytes.indexOf(codes[0] as number); at >= 0; ) {
    if (codes.every((code, index) => bytes[at + index] === code)) return true;
    at = bytes.indexOf(codes[0] as number, at + 1);
  }
  return false;
}

/** Whether an Espruino, of whatever machine, was built with the C module. */
export function hasDevcrypto(application: Uint8Array): boolean {
  return DEVCRYPTO_MARKS.every((mark) => contains(application, mark));
}

function checkEspruino(application: Uint8Array): void {
  if (hasDevcrypto(application)) return;
  if (contains(application, ESPRUINO_MARK))
    refuse(
      "the image is an Espruino without devcrypto, which has no safe random numbers and no place for keys",
      buildIt,
    );
  refuse("the image is not Espruino", buildIt);
}

function checkChip(name: string, chip: string, target: Target): void {
  if (chip === target.chip) return;
  if (!SUPPORTED.includes(chip))
    refuse(
      `the ${name} is for the chip ${chip}, which is not supported: Espruino's build for it has no TLS or too little memory`,
      `take a board with ${SUPPORTED.join(" or ")}`,
    );
  refuse(
    `the ${name} is for the chip ${chip}, the board file names ${target.chip}`,
    "take the image of that chip, or the board file of this one",
  );
}

function readPart(name: string, bytes: Uint8Array): EspImage {
  const image = readEspImage(bytes);
  if (image !== undefined) return image;
  return refuse(
    isEspImage(bytes) ? `the ${name} is cut off or damaged` : `the ${name} is no image of a chip`,
    "copy the file again, or build it again",
  );
}

function checkLayout(partitions: Partition[], target: Target): number {
  const labels = partitions.map(({ label }) => label);
  if (partitions.length === 0) refuse("the partition table holds no partition", buildIt);
  const missing = OUR_PARTITIONS.filter((label) => !labels.includes(label));
  if (missing.length > 0)
    refuse(`the partition table has no "${missing.join('", "')}": it is another build's`, buildIt);
  const end = Math.max(...partitions.map(({ offset, size }) => offset + size));
  if (end > target.flashMegabytes * 1024 * 1024)
    refuse(
      `the partition table needs ${end} bytes of flash, the board file says ${target.flashMegabytes} MB`,
      "take a board with more flash, or correct flashMegabytes",
    );
  return end;
}

function findApplication(partitions: Partition[]): Partition {
  const found = partitions.find(({ type }) => type === TYPE_APP);
  return found ?? refuse("the partition table has no place for an application", buildIt);
}

/** The file as its parts: the application of a merged one lies where its table says. */
function split(files: ImageFiles) {
  if (files.kind === "parts") return files;
  const { bytes } = files;
  const partitionTable = bytes.slice(TABLE_AT, TABLE_AT + TABLE_LENGTH);
  const partitions = readPartitions(partitionTable);
  if (partitions.length === 0)
    return refuse(
      "the file is one part alone: bootloader and partition table are needed too",
      "name the .tgz or the folder that Espruino's build makes, or one merged file from address 0",
    );
  const { offset } = findApplication(partitions);
  return {
    bootloader: bytes.slice(BOOTLOADER_AT, TABLE_AT),
    partitionTable,
    application: bytes.slice(offset),
  };
}

/** Which of two applications starts: blank, it is the first. */
function blankChoice(partitions: Partition[]): Part[] {
  const choice = partitions.find(
    ({ type, subtype }) => type === TYPE_DATA && subtype === SUBTYPE_OTADATA,
  );
  if (choice === undefined) return [];
  const data = new Uint8Array(choice.size).fill(0xff);
  return [{ name: "choice of the application", offset: choice.offset, data }];
}

/** Judges an image for a board and says what goes where; throws FlashFailure for a wrong one. */
export function readImage(files: ImageFiles, target: Target): Image {
  if (!SUPPORTED.includes(target.chip))
    refuse(
      `the board file names the chip ${target.chip}, for which there is no image`,
      `leave --image out, or take a board with ${SUPPORTED.join(" or ")}`,
    );
  const { bootloader, partitionTable, application } = split(files);
  const partitions = readPartitions(partitionTable);
  const { chip, length } = readPart("bootloader", bootloader);
  const main = readPart("application", application);
  checkChip("bootloader", chip, target);
  checkChip("application", main.chip, target);
  checkEspruino(application);
  const end = checkLayout(partitions, target);
  const place = findApplication(partitions);
  // ESP-IDF puts a SHA-256 behind the image.
  const whole = files.kind === "merged" ? application.slice(0, main.length + 32) : application;
  if (whole.length > place.size)
    refuse(`the application has ${whole.length} bytes, its partition ${place.size}`, buildIt);
  if (length > TABLE_AT)
    refuse(`the bootloader has ${length} bytes, its place ${TABLE_AT}`, buildIt);
  return {
    chip,
    end,
    parts: [
      { name: "bootloader", offset: BOOTLOADER_AT, data: bootloader.slice(0, length + 32) },
      { name: "partition table", offset: TABLE_AT, data: partitionTable },
      ...blankChoice(partitions),
      { name: "application", offset: place.offset, data: whole },
    ],
  };
}

/** The part by which a chip's layout is told from another. */
export function layoutOf(image: Image): Part {
  return image.parts.find(({ offset }) => offset === TABLE_AT) as Part;
}
