/** The provisioning messages made a second time, as cose-builder.ts makes the others. */
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { encodeOracle, fromBinary, toBinary } from "./cbor-oracle.ts";
import {
  asBytes,
  type BuiltSealed,
  buildSealed,
  buildSign1,
  type Change,
  changed,
  type SealedChanges,
  type SealedClass,
} from "./cose-builder.ts";
import { makeCsr } from "./csr.ts";
import type { Party } from "./parties.ts";

export interface ContentChanges extends SealedChanges {
  /** The array, before it is padded where it is; or the plaintext's bytes. */
  plaintext?: Change<unknown[]>;
  /** What stands after the array in place of the right zeros. */
  padding?: Buffer;
}

const HEADER = () => new Map([[1, 1]]);

/** The array, and zeros up to a multiple of 64. */
export function padOracle(content: unknown): Buffer {
  const array = toBinary(encodeOracle(content));
  return Buffer.concat([array, Buffer.alloc(-array.length & 63)]);
}

function paddedContent(content: unknown[], changes: ContentChanges): Buffer {
  const value = changed(content, changes.plaintext);
  if (Buffer.isBuffer(value)) return value;
  const { padding } = changes;
  if (padding === undefined) return padOracle(value);
  return Buffer.concat([toBinary(encodeOracle(value)), padding]);
}

/** Of "shed" for "ann", with a claim of sevens. */
export function buildEnrol(
  device: Party,
  recipients: Party[],
  counter: number,
  changes: ContentChanges = {},
): BuiltSealed {
  const content = [counter, toBinary(makeCsr(device)), "shed", "ann", Buffer.alloc(16, 7)];
  const plaintext = fromBinary(asBytes(changed(content, changes.plaintext)));
  const header = (right: Map<number, unknown>) =>
    changed(new Map([...right, [4, toBinary(device.thumbprint)]]), changes.signHeader);
  return buildSealed("enrol", device, recipients, HEADER(), plaintext, {
    ...changes,
    signHeader: header,
  });
}

/** Answers request 1111.. with a certificate of 22.., time 1.8 * 10^9, no settings. */
export function buildEnrolled(
  registrar: Party,
  device: Party,
  changes: ContentChanges = {},
): BuiltSealed {
  const content = [Buffer.alloc(16, 1), Buffer.alloc(300, 2), 1_800_000_000, new Map()];
  const plaintext = fromBinary(asBytes(changed(content, changes.plaintext)));
  return buildSealed("enrolled", registrar, [device], HEADER(), plaintext, changes, device);
}

/** A command of the action and parameters to "shed" of "ann". */
export function commandOracle(action: number, parameters: unknown = new Map()): unknown[] {
  return [1_800_000_000_000n, 1_800_000_000, 1_800_003_600, action, "shed", "ann", parameters];
}

export function buildCommand(
  provisioner: Party,
  device: Party,
  command: unknown[],
  changes: ContentChanges = {},
): BuiltSealed {
  const plaintext = fromBinary(paddedContent(command, changes));
  return buildSealed("command", provisioner, [device], HEADER(), plaintext, changes, device);
}

/** The form that all can read. */
export function buildSignedCommand(
  provisioner: Party,
  device: Party,
  command: unknown[],
  changes: ContentChanges = {},
): Bytes {
  const payload = fromBinary(asBytes(changed(command, changes.plaintext)));
  return buildSign1(provisioner, payload, changes, "command", device.thumbprint);
}

/** A reply to command 3333.. */
export function buildReply(
  device: Party,
  recipients: Party[],
  counter: number,
  status: number,
  detail: unknown,
  changes: ContentChanges = {},
): BuiltSealed {
  const content = [counter, Buffer.alloc(32, 3), status, detail];
  const plaintext = fromBinary(paddedContent(content, changes));
  return buildSealed("reply", device, recipients, HEADER(), plaintext, changes);
}

/** Signs an Encrypt again, in the name of any class. */
export function resign(
  signer: Party,
  device: { thumbprint: Bytes },
  messageClass: SealedClass,
  payload: Bytes,
  changes: SealedChanges = {},
): Bytes {
  return buildSign1(signer, payload, changes, messageClass, device.thumbprint);
}

export const text = (value: string): Bytes => bytes(Buffer.from(value).toString("latin1"));
