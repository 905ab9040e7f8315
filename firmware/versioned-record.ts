/** Records of the C module's store that begin with a version: one that is damaged counts as none. */
import { type Bytes, chars } from "../protocol/bytes.ts";
import type { DeviceRecords } from "../protocol/cose/crypto.ts";
import type { Log } from "./ports.ts";

/** What follows the version; undefined, and a line in the log, for what is of no use. */
export function readVersioned(
  store: Pick<DeviceRecords, "readRecord">,
  id: string,
  version: number,
  log: Log,
): Bytes | undefined {
  try {
    const record = store.readRecord(id);
    if (record === undefined) return undefined;
    if (record.charCodeAt(0) === version) return record.substring(1) as Bytes;
    log("record " + id + " not used: of another version");
  } catch (error) {
    log("record " + id + " not read: " + (error as Error).message);
  }
  return undefined;
}

/** Throws what writeRecord throws. */
export function writeVersioned(
  store: Pick<DeviceRecords, "writeRecord">,
  id: string,
  version: number,
  content: string,
): void {
  store.writeRecord(id, (chars(version) + content) as Bytes);
}
