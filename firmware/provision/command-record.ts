/**
 * What the device knows of its last command, in one record: a power cut leaves the step
 * before or the step after. SPEC.md shows every byte.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { cborBytes, cborInt, UNSIGNED } from "../../protocol/cbor.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import type { DeviceRecords } from "../../protocol/cose/crypto.ts";
import type { Log } from "../ports.ts";

/** It is taken and not yet carried out: to be done again after a power cut. */
export const DOING = 1;
/** It is carried out and its reply is made; whether the reply has a record of its own is not known. */
export const DONE = 2;
/** Its reply has a record of its own, or had one. */
export const REPLIED = 3;
/** A delete: all that is left to do is to erase, and to send this reply. */
export const DELETING = 4;

const COMMAND_RECORD = "cmd";
/** An array of seven whose first element is the version. */
const START = "\x87\x01";

export interface CommandRecord {
  /** DOING to DELETING. */
  phase: number;
  /** The command counter. */
  counter: number;
  /** What names the command, 32 bytes. */
  hash: Bytes;
  /** FORM_* */
  form: number;
  /** The device counter of the reply; 0 while there is none. */
  replyCounter: number;
  /** While it is done the command's content, then the reply's hash (16 bytes) and message. */
  body: Bytes;
}

/** undefined where there is none. One that cannot be read is as good as none: `expires` still bounds old commands. */
export function readCommandRecord(store: DeviceRecords, log: Log): CommandRecord | undefined {
  try {
    const stored = store.readRecord(COMMAND_RECORD);
    if (stored === undefined) return undefined;
    const reader = createReader(stored);
    reader.exactly(START, "command record");
    const phase = reader.head(UNSIGNED);
    const counter = reader.head(UNSIGNED);
    const hash = reader.bytes();
    const form = reader.head(UNSIGNED);
    const replyCounter = reader.head(UNSIGNED);
    const body = reader.bytes();
    reader.end();
    return {
      phase: phase,
      counter: counter,
      hash: hash,
      form: form,
      replyCounter: replyCounter,
      body: body,
    };
  } catch (error) {
    log("command record: " + (error as Error).message);
    return undefined;
  }
}

export function writeCommandRecord(store: DeviceRecords, record: CommandRecord): void {
  store.writeRecord(
    COMMAND_RECORD,
    (START +
      cborInt(record.phase) +
      cborInt(record.counter) +
      cborBytes(record.hash) +
      cborInt(record.form) +
      cborInt(record.replyCounter) +
      cborBytes(record.body)) as Bytes,
  );
}
