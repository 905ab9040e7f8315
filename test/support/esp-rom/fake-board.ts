import { type Bytes, fromHex, toHex } from "../../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../../protocol/kid.ts";
import { nodeCrypto } from "../parties.ts";
import { createEspRom, type Fault } from "./esp-rom.ts";
import { createFakeConsole } from "./fake-console.ts";

/** The key id of a public key, both in hexadecimal digits. */
export const keyIdOf = (publicKey: string) =>
  toHex(kidOf(thumbprintOf(nodeCrypto, fromHex(publicKey) as Bytes)));

export const PUBLIC_KEY = `04${"ab".repeat(64)}`;
export const KEY_ID = keyIdOf(PUBLIC_KEY);

export interface FakeBoardOptions {
  chipId?: number;
  board?: string;
  hasDevcrypto?: boolean;
  /** In its loader from the beginning, as with BOOT held at a reset. */
  inLoader?: boolean;
  /** A terminal between two programs has no rate. */
  isRateless?: boolean;
  /** The rate at which the chip hears nothing, as over a bad cable. */
  deafAt?: number;
  /** Asked for each command to the loader: its number, and how many of that number came before. */
  fault?(command: number, before: number): Fault;
  /** Changes what the console sends: noise, losses. */
  noise?(text: string): string;
  /** Never gets as far as to know its key. */
  isKeyless?: boolean;
  /** What the bundle prints at its start. */
  started?(files: Map<string, string>): string[];
  send(bytes: Uint8Array): void;
  unplug(): void;
  /** A chip with USB of its own is gone for a while at a restart: true where it begins by itself then. */
  vanish?(): boolean;
}

export interface FakeBoard {
  flash: Uint8Array;
  /** Espruino's files; gone when the flash is erased. */
  files: Map<string, string>;
  /** How often the application began. */
  starts: number;
  /** As by the power switch. */
  begin(): void;
  receive(bytes: Uint8Array): void;
  setRate(rate: number): void;
  /** The lines as on a board: RTS holds the chip in reset, DTR meanwhile makes it wake in its loader. */
  setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): void;
}

const MEGABYTES = 4;
const ROM_RATE = 115_200;

/** A board on a cable: the chip's loader, and Espruino's console once it runs. */
export function createFakeBoard(options: FakeBoardOptions): FakeBoard {
  const flash = new Uint8Array(MEGABYTES * 1024 * 1024);
  const files = new Map<string, string>();
  const noise = options.noise ?? ((text) => text);
  let inLoader = options.inLoader ?? false;
  let hostRate = ROM_RATE;
  let chipRate = ROM_RATE;
  let lines = { dtr: false, rts: false };

  const print = (text: string) => options.send(new Uint8Array(Buffer.from(noise(text), "latin1")));

  function begin(): void {
    inLoader = false;
    chipRate = ROM_RATE;
    board.starts += 1;
    console = createConsole();
    print("ESP-ROM:boot\r\n>");
    if (!files.has(".bootcde")) return;
    const told = options.started?.(files) ?? [
      "console open: whoever holds the cable has this device",
      `coseflow on fake, device ${KEY_ID}`,
      `register it: coseflow device register --key ${PUBLIC_KEY}`,
      "state: network",
    ];
    print(told.map((line) => `${line}\r\n`).join(""));
  }

  const createConsole = () =>
    createFakeConsole({
      board: options.board ?? "COSEFLOW_ESP32C3",
      hasDevcrypto: options.hasDevcrypto ?? true,
      files,
      keyId: options.isKeyless ? undefined : KEY_ID,
      publicKey: PUBLIC_KEY,
      print,
      restart() {
        if (options.vanish?.() !== true) begin();
      },
    });
  let console = createConsole();

  const seen = new Map<number, number>();

  function count(command: number): number {
    const before = seen.get(command) ?? 0;
    seen.set(command, before + 1);
    return before;
  }

  function createLoader() {
    chipRate = ROM_RATE;
    return createEspRom({
      chipId: options.chipId ?? 5,
      flash,
      send: (bytes) => options.send(bytes),
      fault: (command) => options.fault?.(command, count(command)),
      unplug: options.unplug,
      restart: begin,
      hearsRate: () =>
        options.isRateless === true || (hostRate === chipRate && hostRate !== options.deafAt),
      changeRate(rate) {
        chipRate = rate;
      },
    });
  }
  let loader = createLoader();

  const board: FakeBoard = {
    flash,
    files,
    starts: 0,
    begin,
    receive(bytes) {
      if (inLoader) loader.receive(bytes);
      else console.type(Buffer.from(bytes).toString("latin1"));
    },
    setRate(rate) {
      hostRate = rate;
    },
    setSignals({ dataTerminalReady, requestToSend }) {
      const before = lines;
      lines = { dtr: dataTerminalReady ?? lines.dtr, rts: requestToSend ?? lines.rts };
      if (!before.rts || lines.rts) return;
      if (lines.dtr) {
        inLoader = true;
        loader = createLoader();
      } else begin();
    },
  };
  return board;
}
