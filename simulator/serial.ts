import { createPacketReader } from "../protocol/improv.ts";
import { toByteString } from "./byte-string.ts";
import type { Console, ConsoleLine } from "./console.ts";
import type { Events } from "./events.ts";
import type { Realm } from "./realm.ts";

/** A packet of Improv that the board has sent, as its type and its data. */
export type ImprovPacket = (type: number, data: string) => void;

interface SerialPorts {
  realm: Realm;
  events: Events;
  console: Console;
  line: ConsoleLine;
  onPacket: ImprovPacket;
}

/** What is plugged into the board's serial line. */
export interface Serial {
  /** Bytes that come in on Serial1. */
  receive(bytes: string): void;
}

/** Calls back for each whole line, without its end. */
function createLines(onLine: ConsoleLine) {
  let pending = "";
  return (text: string) => {
    const lines = (pending + text).replaceAll("\r", "").split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}

/**
 * `Serial1`, whose other end is the person, and the two ends of the loopback. What comes in is the
 * console's where the console is, and an event elsewhere.
 */
export function defineSerial({ realm, events, console, line, onPacket }: SerialPorts): Serial {
  const typed = createLines(console.run);
  const out = createPacketReader(onPacket, createLines(line));

  function deliver(device: string, bytes: string): void {
    if (console.get() === device) typed(bytes);
    else events.emit(realm.global(device) as object, "data", [bytes]);
  }

  function define(name: string, write: (bytes: string) => void): void {
    const members = { write: (...values: unknown[]) => write(toByteString(values)) };
    realm.define(name, realm.object(members));
  }

  define("Serial1", (bytes) => {
    out.take(bytes);
    // Whoever reads here waits for no pause.
    if (out.isWaiting()) out.expire();
  });
  define("LoopbackA", (bytes) => deliver("LoopbackB", bytes));
  define("LoopbackB", (bytes) => deliver("LoopbackA", bytes));
  return { receive: (bytes) => deliver("Serial1", bytes) };
}
