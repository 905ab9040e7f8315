/** What `coseflow demo` prints on a terminal: the broker's view beside the cloud's, 80 columns. */
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import type { EventRecord, Measurement } from "../../cloud/receiver/view.ts";
import { fromBigEndian } from "../../protocol/bytes.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { type MessageClass, parseTopic } from "../../protocol/topics.ts";

/** Columns: class 8, bytes 5, hexadecimal 32, opened 33, and two blanks between. */
const HEX_WIDTH = 32;
const LEFT_WIDTH = 8 + 5 + 2 + HEX_WIDTH;
export const WIDTH = 80;

const OPENED_WIDTH = WIDTH - LEFT_WIDTH - 2;

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 2)}..`;
}

/** One line: what the broker saw, and what became of it. */
export function row(messageClass: string, payload: Uint8Array, opened: string): string {
  const hex = cut(Buffer.from(payload).toString("hex"), HEX_WIDTH).padEnd(HEX_WIDTH);
  const bytes = String(payload.length).padStart(5);
  return `${messageClass.padEnd(8)}${bytes}  ${hex}  ${cut(opened, OPENED_WIDTH)}`.trimEnd();
}

/** A further line of the same message. */
export function continuation(opened: string): string {
  return `${" ".repeat(LEFT_WIDTH + 2)}${cut(opened, OPENED_WIDTH)}`;
}

export const HEADING = [
  `${"message".padEnd(8)}bytes  ${"what the broker sees".padEnd(HEX_WIDTH)}  what the cloud opened`,
  "-".repeat(WIDTH),
];

function describe({ name, value, unit }: Measurement | EventRecord, number: number): string {
  const shown = unit === undefined || unit === "1" ? "" : ` ${unit}`;
  return `${name} ${value}${shown}  #${number}`;
}

interface Waiting {
  payload?: Uint8Array;
  opened: string[];
}

/** Classes that are shown when both halves are there. */
type Paired = "reading" | "event";

function keyOfReading(payload: Uint8Array): string {
  const { sessionKid, sequence } = parseSequencedEncrypt0(fromBuffer(Buffer.from(payload)));
  return `${fromBigEndian(sessionKid)}/${sequence}`;
}

/** Nothing of an event's number stands outside its ciphertext: the bytes name it. */
function keyOfEvent(payload: Uint8Array): string {
  return Buffer.from(payload).toString("latin1");
}

/** Messages whose other half is still missing; a demo that loses halves must not grow. */
const MAX_WAITING = 256;

/**
 * Brings the two views together: a reading or event is shown once the broker's watcher
 * has seen its bytes and the cloud has opened it, in whatever order that happens.
 */
export function createPairing(print: (line: string) => void) {
  const waiting = new Map<string, Waiting>();

  function entryOf(key: string): Waiting {
    const found = waiting.get(key) ?? { opened: [] };
    waiting.set(key, found);
    const oldest = waiting.keys().next().value;
    if (waiting.size > MAX_WAITING && oldest !== undefined) waiting.delete(oldest);
    return found;
  }

  /** Adds one half, and prints both when the other is there. */
  function add(messageClass: Paired, key: string, half: Partial<Waiting>): void {
    const entry = Object.assign(entryOf(key), half);
    const { payload, opened } = entry;
    if (payload === undefined || opened.length === 0) return;
    waiting.delete(key);
    const [first = "", ...rest] = opened;
    print(row(messageClass, payload, first));
    for (const line of rest) print(continuation(line));
  }

  const OPENED: { [messageClass in Exclude<MessageClass, Paired>]: string } = {
    session: "session key, sealed and signed",
    receipt: "(for the device alone)",
    enrol: "request for a certificate, sealed and signed",
    enrolled: "(for the device alone)",
    command: "(for the device alone)",
    reply: "reply to a command, sealed and signed",
  };

  return {
    /** The watcher at the broker saw this. */
    seen(prefix: string, topic: string, payload: Uint8Array): void {
      const { messageClass } = parseTopic(prefix, topic);
      if (messageClass === "reading") add("reading", keyOfReading(payload), { payload });
      else if (messageClass === "event") add("event", keyOfEvent(payload), { payload });
      else print(row(messageClass, payload, OPENED[messageClass]));
    },
    /** The cloud opened and stored the measurements of one reading. */
    opened(measurements: Measurement[]): void {
      const [first] = measurements;
      if (first === undefined) return;
      const opened = measurements.map((each) => describe(each, each.sequence));
      add("reading", `${first.session}/${first.sequence}`, { opened });
    },
    /** The cloud opened and stored an event. */
    openedEvent(records: EventRecord[], message: Uint8Array): void {
      const opened = records.map((each) => describe(each, each.counter));
      add("event", keyOfEvent(message), { opened });
    },
  };
}
