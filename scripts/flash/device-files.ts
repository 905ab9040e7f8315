import { type Console, DeviceError } from "./console.ts";
import { crc32 } from "./crc32.ts";

/** Bytes of a file in one line of the console: as base64 a good quarter of a chip's input buffer of 4,096. */
const PIECE = 768;
/** Noise on the line touches few pieces; what always fails is no noise. */
const ATTEMPTS = 5;

/**
 * Writes one piece of a file: name, place, length of the file, bytes in base64, CRC-32.
 * Flash takes a byte once, so a piece that is there already, because its answer was
 * lost, is not written again. The watchdog of a bundle that ran before goes on counting.
 */
const WRITER = `function cfWrite(n,o,t,d,c){var S=require("Storage"),b=atob(d);E.kickWatchdog();
if(E.CRC32(b)!=c)return"noise";if(o&&S.read(n,o,b.length)==b)return"ok";
if(!o)S.erase(n);S.write(n,b,o,t);return"ok"}`.replace(/\n/g, "");

/** The same, with the writer's name. A function that is defined on the way is no answer. */
const define = (code: string) => `(global.cfWrite=${code},1)`;

/**
 * How far a file is left blank until all the rest is there: the interpreter stops in its
 * first line at such a hole, where it would run, or run out of memory in, half a bundle.
 */
const HOLE_END = 4;

/** Places of the pieces in the order in which they are written. The first makes the file. */
function piecesOf(length: number): [from: number, to: number][] {
  const body: [number, number][] = [];
  for (let at = HOLE_END; at < length; at += PIECE) body.push([at, Math.min(length, at + PIECE)]);
  const hole: [number, number][] = length > 1 ? [[1, Math.min(length, HOLE_END)]] : [];
  return [[0, 1], ...body, ...hole];
}

const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

/** What a person may hear of it. */
export class NotWritten extends Error {}

export interface DeviceFiles {
  /** Whether the file on the device is this one, byte by byte by length and CRC-32. */
  has(name: string, bytes: Uint8Array): Promise<boolean>;
  exists(name: string): Promise<boolean>;
  erase(name: string): Promise<void>;
  /** Writes the file and reads it back. */
  write(name: string, bytes: Uint8Array, progress: (fraction: number) => void): Promise<void>;
}

/** Espruino's files in flash, over its console. */
export async function openDeviceFiles(console: Console): Promise<DeviceFiles> {
  await console.ask(define(WRITER));

  const named = (name: string) => JSON.stringify(name);

  async function has(name: string, bytes: Uint8Array): Promise<boolean> {
    const found = await console.ask(
      `(function(s){E.kickWatchdog();return s?[s.length,E.CRC32(s)]:[]})(require("Storage").read(${named(name)}))`,
    );
    return JSON.stringify(found) === JSON.stringify([bytes.length, crc32(bytes)]);
  }

  async function writePiece(name: string, bytes: Uint8Array, [at, to]: [number, number]) {
    const piece = bytes.subarray(at, to);
    const place = `${named(name)},${at},${bytes.length}`;
    const call = `cfWrite(${place},"${base64(piece)}",${crc32(piece)})`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        if ((await console.ask(call)) === "ok") return;
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        throw new NotWritten(`byte ${at} of ${bytes.length}: ${error.message}`);
      }
    }
    throw new NotWritten(`byte ${at} of ${bytes.length}: every attempt arrived damaged`);
  }

  return {
    has,
    async exists(name) {
      return (await console.ask(`require("Storage").read(${named(name)})?1:0`)) === 1;
    },
    async erase(name) {
      await console.ask(`(require("Storage").erase(${named(name)}),1)`);
    },
    async write(name, bytes, progress) {
      const pieces = piecesOf(bytes.length);
      for (const [index, piece] of pieces.entries()) {
        await writePiece(name, bytes, piece);
        progress((index + 1) / pieces.length);
      }
      if (!(await has(name, bytes)))
        throw new NotWritten("what is in flash now is not what was sent (CRC-32)");
    },
  };
}
