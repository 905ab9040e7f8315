/** Improv from the side that holds the cable: asks a board for its state, and gives it a network. */
import {
  COMMAND_INFO,
  COMMAND_SCAN,
  COMMAND_STATE,
  COMMAND_WIFI,
  createPacketReader,
  ERROR_COMMAND,
  ERROR_CONNECT,
  ERROR_FORM,
  ERROR_NONE,
  makePacket,
  makeTexts,
  PACKET_COMMAND,
  PACKET_ERROR,
  PACKET_RESULT,
  PACKET_STATE,
  readTexts,
} from "../../protocol/improv.ts";
import { openConsole } from "../flash/console.ts";
import { BAUD_RATE, type Port, pause, readToItsEnd } from "../flash/port.ts";

/** Why it ended, and what a person does about it. */
export class ImprovFailure extends Error {
  readonly reason: string;
  readonly next: string;

  constructor(reason: string, next: string) {
    super(`${reason}; next: ${next}`);
    this.reason = reason;
    this.next = next;
  }
}

export interface FoundNetwork {
  ssid: string;
  rssi: number;
  secured: boolean;
}

export interface Improv {
  /** Firmware, its version, chip, board. */
  info(): Promise<string[]>;
  scan(): Promise<FoundNetwork[]>;
  /** Resolves once the board has joined the network and kept it. */
  provision(ssid: string, password: string): Promise<void>;
  close(): Promise<void>;
}

const STATE_ATTEMPTS = 4;
const ANSWER_MS = 2000;
/** Two looks of ten seconds, and the rest that the radio needs. */
const SCAN_MS = 30_000;
/** The board itself gives up after 25 s. */
const JOIN_MS = 40_000;
const LOOK_MS = 5;
const CONSOLE_MS = 1500;

const HOLD =
  "press RESET, and within five seconds hold the board's button for two: it waits in safe mode then";

const toBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const toText = (bytes: string) => Buffer.from(bytes, "latin1").toString("utf8");

/**
 * Refuses a board that runs: it would take the type of a packet, byte 3, for Ctrl-C, and
 * interrupt what it does. One that does not answer here is locked, or waits for Improv.
 */
export async function refuseRunning(port: Port): Promise<void> {
  const console = await openConsole(port);
  try {
    await console.send('\x1b[2H\x10print("cf-"+"state "+status().state)\n');
    const found = await console.line(/cf-state (\w+)/, CONSOLE_MS);
    const state = found?.[1] ?? "";
    if (!["", "setup", "safe"].includes(state))
      throw new ImprovFailure(`board, expected it in setup or safe mode, got ${state}`, HOLD);
  } finally {
    await console.close();
  }
}

const REFUSALS: Record<number, [reason: string, next: string]> = {
  [ERROR_FORM]: ["board, expected to take the command, got it refused", "run it again"],
  [ERROR_COMMAND]: ["board, expected to know the command, got that it does not", "flash it anew"],
  [ERROR_CONNECT]: [
    "board, expected to join the network, got no connection",
    "look at name and password, and whether the board hears it: coseflow wifi --scan",
  ],
};

function refusal(code: number): ImprovFailure {
  const [reason, next] = REFUSALS[code] ?? [
    `board, expected it to do so, got error ${code}`,
    "press RESET and run it again",
  ];
  return new ImprovFailure(reason, next);
}

export async function openImprov(port: Port): Promise<Improv> {
  await port.open({ baudRate: BAUD_RATE });
  await port.setSignals({ dataTerminalReady: false, requestToSend: false }).catch(() => {});
  const packets: { type: number; data: string }[] = [];
  let lost = false;
  const input = createPacketReader(
    (type, data) => packets.push({ type, data }),
    () => {},
  );
  const reader = (port.readable as ReadableStream<Uint8Array>).getReader();
  const reading = readAll();

  async function readAll(): Promise<void> {
    await readToItsEnd(reader, (bytes) => input.take(Buffer.from(bytes).toString("latin1")));
    lost = true;
    reader.releaseLock();
  }

  async function send(command: number, texts: string[]): Promise<void> {
    packets.length = 0;
    const packet = makePacket(PACKET_COMMAND, makeTexts(command, texts));
    const writer = (port.writable as WritableStream<Uint8Array>).getWriter();
    try {
      await writer.write(Buffer.from(packet, "latin1"));
    } finally {
      writer.releaseLock();
    }
  }

  /** The next packet that `pick` makes something of; undefined when the time is over. */
  async function next<T>(
    milliseconds: number,
    pick: (type: number, data: string) => T | undefined,
  ): Promise<T | undefined> {
    const until = Date.now() + milliseconds;
    for (;;) {
      for (let packet = packets.shift(); packet !== undefined; packet = packets.shift()) {
        const error = packet.type === PACKET_ERROR ? packet.data.charCodeAt(0) : ERROR_NONE;
        if (error !== ERROR_NONE) throw refusal(error);
        const picked = pick(packet.type, packet.data);
        if (picked !== undefined) return picked;
      }
      if (lost)
        throw new ImprovFailure(
          "port, expected it to stay, got its end",
          "plug the board in again",
        );
      if (Date.now() >= until) return undefined;
      await pause(LOOK_MS);
    }
  }

  async function result(command: number, milliseconds: number): Promise<string[]> {
    const texts = await next(milliseconds, (type, data) =>
      type === PACKET_RESULT && data.charCodeAt(0) === command ? readTexts(data) : undefined,
    );
    if (texts === undefined)
      throw new ImprovFailure("board, expected a result, got none in time", "run it again");
    return texts.map(toText);
  }

  async function findBoard(): Promise<void> {
    for (let attempt = 0; attempt < STATE_ATTEMPTS; attempt++) {
      await send(COMMAND_STATE, []);
      const isThere = (type: number) => (type === PACKET_STATE ? true : undefined);
      if (await next(ANSWER_MS, isThere)) return;
    }
    throw new ImprovFailure("board, expected an answer to Improv, got none", HOLD);
  }

  async function close(): Promise<void> {
    if (!lost) await reader.cancel().catch(() => {});
    await reading;
    await port.close().catch(() => {});
  }

  try {
    await findBoard();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async info() {
      await send(COMMAND_INFO, []);
      return result(COMMAND_INFO, ANSWER_MS);
    },
    async scan() {
      await send(COMMAND_SCAN, []);
      const found: FoundNetwork[] = [];
      for (;;) {
        const [ssid, rssi = "", secured] = await result(COMMAND_SCAN, SCAN_MS);
        if (ssid === undefined) return found;
        found.push({ ssid, rssi: Number(rssi), secured: secured === "YES" });
      }
    },
    async provision(ssid, password) {
      await send(COMMAND_WIFI, [toBytes(ssid), toBytes(password)]);
      await result(COMMAND_WIFI, JOIN_MS);
    },
    close,
  };
}
