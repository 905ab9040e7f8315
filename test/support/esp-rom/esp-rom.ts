import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { createUnframer, frame } from "./slip.ts";

/** Commands of the loader in an ESP's ROM, and of the stub that is loaded over it. */
export const COMMAND = {
  flashBegin: 0x02,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeReg: 0x09,
  readReg: 0x0a,
  changeBaud: 0x0f,
  deflateBegin: 0x10,
  deflateData: 0x11,
  deflateEnd: 0x12,
  md5: 0x13,
  securityInfo: 0x14,
  eraseFlash: 0xd0,
} as const;

/** What goes wrong: the command or its answer is lost, it is refused, flash takes damage, the cable is pulled. */
export type Fault = "lost" | "unanswered" | "refused" | "damage" | "unplug" | undefined;

export interface EspRomOptions {
  /** As the security information gives it: 5 is the ESP32-C3. */
  chipId: number;
  flash: Uint8Array;
  send(bytes: Uint8Array): void;
  /** Asked for each command that comes. */
  fault(command: number): Fault;
  unplug(): void;
  /** The loader was left by a command. */
  restart(): void;
  /** Whether host and chip have the same rate. */
  hearsRate(): boolean;
  changeRate(rate: number): void;
}

const VALUE_OF_ROM = 0x20120707;
const SYNC_ANSWERS = 8;
const PIECE_HEAD = 16;

export interface EspRom {
  receive(bytes: Uint8Array): void;
}

/** The loader of a chip that was reset into it: SLIP in, SLIP out, a flash that holds what was written. */
export function createEspRom(options: EspRomOptions): EspRom {
  const { flash } = options;
  let mute = false;
  let stub = false;
  let place = { offset: 0, length: 0 };
  let pieces: Uint8Array[] = [];

  function send(bytes: Uint8Array): void {
    if (!mute) options.send(bytes);
  }

  function answer(command: number, data: number[] = [], status = 0): void {
    const body = [...data, status, status === 0 ? 0 : 6];
    // The two bytes of the ROM's status are followed by two more.
    if (!stub) body.push(0, 0);
    const head = new DataView(new ArrayBuffer(8));
    head.setUint8(0, 1);
    head.setUint8(1, command);
    head.setUint16(2, body.length, true);
    head.setUint32(4, stub ? 0 : VALUE_OF_ROM, true);
    send(frame(Uint8Array.from([...new Uint8Array(head.buffer), ...body])));
  }

  function write(): void {
    const data = inflateSync(Buffer.concat(pieces));
    flash.set(data.subarray(0, place.length), place.offset);
    pieces = [];
  }

  const word = (data: Uint8Array, index: number) =>
    new DataView(data.buffer, data.byteOffset).getUint32(index * 4, true);

  const handlers: Record<number, (data: Uint8Array) => void> = {
    [COMMAND.sync]() {
      for (let count = 0; count < SYNC_ANSWERS; count++) answer(COMMAND.sync);
    },
    [COMMAND.securityInfo]() {
      const info = new DataView(new ArrayBuffer(20));
      info.setUint32(12, options.chipId, true);
      answer(COMMAND.securityInfo, [...new Uint8Array(info.buffer)]);
    },
    [COMMAND.memEnd]() {
      answer(COMMAND.memEnd);
      stub = true;
      send(frame(new TextEncoder().encode("OHAI")));
    },
    [COMMAND.changeBaud](data) {
      answer(COMMAND.changeBaud);
      options.changeRate(word(data, 0));
    },
    [COMMAND.deflateBegin](data) {
      place = { length: word(data, 0), offset: word(data, 3) };
      pieces = [];
      answer(COMMAND.deflateBegin);
    },
    [COMMAND.deflateData](data) {
      pieces.push(data.slice(PIECE_HEAD));
      answer(COMMAND.deflateData);
    },
    [COMMAND.deflateEnd]() {
      write();
      answer(COMMAND.deflateEnd);
    },
    [COMMAND.md5](data) {
      // The stub writes what it has received before it looks.
      if (pieces.length > 0) write();
      const bytes = flash.subarray(word(data, 0), word(data, 0) + word(data, 1));
      answer(COMMAND.md5, [...createHash("md5").update(bytes).digest()]);
    },
    [COMMAND.eraseFlash]() {
      flash.fill(0xff);
      answer(COMMAND.eraseFlash);
    },
    [COMMAND.flashEnd](data) {
      answer(COMMAND.flashEnd);
      if (word(data, 0) === 0) options.restart();
    },
  };

  const receive = createUnframer((bytes) => {
    const [direction, command] = bytes;
    if (direction !== 0 || command === undefined || !options.hearsRate()) return;
    const fault = options.fault(command);
    if (fault === "unplug") return options.unplug();
    if (fault === "lost") return;
    if (fault === "refused") return answer(command, [], 1);
    const data = bytes.slice(8);
    const handler = handlers[command];
    mute = fault === "unanswered";
    if (handler === undefined) answer(command);
    else handler(data);
    mute = false;
    if (fault === "damage") flash[place.offset + 5] = (flash[place.offset + 5] as number) ^ 0x55;
  });

  return { receive };
}
