/** Provisioning messages with one thing wrong each, sealed and signed as if they were right. */
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import { createCommandOpener } from "../../protocol/command-message.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createEnrolOpener } from "../../protocol/enrol-message.ts";
import { createEnrolledOpener } from "../../protocol/enrolled-message.ts";
import { createReplyOpener, STATUS_DONE } from "../../protocol/reply-message.ts";
import { encodeOracle, toBinary } from "../support/cbor-oracle.ts";
import { makeCsr, readCsrKey } from "../support/csr.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import {
  buildCommand,
  buildEnrol,
  buildEnrolled,
  buildReply,
  type ContentChanges,
  commandOracle,
  padOracle,
} from "../support/provisioning-builder.ts";
import { codeOf } from "../support/refusal.ts";
import { countKeys, set, type WrongRow, wrongLayers } from "../support/wrong-layers.ts";

const device = makeParty();
const cloud = makeParty();
const registrar = makeParty();
const provisioner = makeParty();
const { crypto, live } = countKeys(nodeCrypto);

type Row = WrongRow<ContentChanges>;

/** The content with one element replaced. */
function at(index: number, value: unknown): ContentChanges {
  return { plaintext: (parts) => parts.map((part, i) => (i === index ? value : part)) };
}

const raw = (digits: string): ContentChanges => ({ plaintext: () => Buffer.from(digits, "hex") });
const less: ContentChanges = { plaintext: (parts) => parts.slice(0, -1) };
const more: ContentChanges = { plaintext: (parts) => [...parts, 0] };

const headers: Row[] = [
  ["a kid", "profile", { encryptHeader: set([4, Buffer.from([7])]) }],
  ["nothing in it", "profile", { encryptHeader: () => Buffer.alloc(0) }],
  ["an empty map", "profile", { encryptHeader: () => new Map() }],
];

const counters: Row[] = [
  ["counter 0", "sequence", at(0, 0)],
  ["a counter of 33 bits", "sequence", at(0, 2n ** 32n)],
  ["a counter below 0", "form", at(0, -1)],
  ["a counter as bytes", "form", at(0, Buffer.from([7]))],
];

/** Of an id at the index. */
const ids = (index: number): Row[] => [
  ["an empty id", "size", at(index, "")],
  ["an id of 65 bytes", "size", at(index, "x".repeat(65))],
  ["an id as bytes", "form", at(index, Buffer.from("shed"))],
  ["a line break in an id", "form", at(index, "a\nb")],
  ["an id of bad UTF-8", "form", at(index, "a\u009fb")],
];

/** Of padded contents. */
const paddings: Row[] = [
  ["no padding", "form", { padding: Buffer.alloc(0) }],
  ["padding to nowhere", "form", { padding: Buffer.alloc(10) }],
  [
    "a step too much of padding",
    "form",
    { plaintext: (parts) => Buffer.concat([padOracle(parts), Buffer.alloc(64)]) },
  ],
  ["padding that is no zeros", "form", { plaintext: ones }],
  ["an element more", "profile", more],
];

const enrols: Row[] = [
  ...counters,
  ...ids(2),
  ...ids(3),
  ["nothing in it", "profile", raw("")],
  ["an element less", "profile", less],
  ["an element more", "profile", more],
  ["bytes after it", "cbor", { plaintext: (parts) => trailing(parts) }],
  ["no CSR", "size", at(1, Buffer.alloc(0))],
  ["a CSR of 257 bytes", "size", at(1, Buffer.alloc(257))],
  ["a CSR that is none", "form", at(1, Buffer.alloc(100))],
  ["the CSR of another key", "kid", at(1, toBinary(makeCsr(cloud)))],
  ["a claim of 15 bytes", "size", at(4, Buffer.alloc(15))],
  ["a claim of 32 bytes", "size", at(4, Buffer.alloc(32))],
  ["null for the claim", "form", at(4, null)],
];

const enrolleds: Row[] = [
  ["nothing in it", "profile", raw("")],
  ["an element less", "profile", less],
  ["an element more", "profile", more],
  ["bytes after it", "cbor", { plaintext: (parts) => trailing(parts) }],
  ["a request of 32 bytes", "size", at(0, Buffer.alloc(32))],
  ["no certificate", "size", at(1, Buffer.alloc(0))],
  ["a certificate as text", "form", at(1, "MIIB")],
  ["a time below 0", "form", at(2, -1)],
  ["floating point for the time", "form", at(2, 1.5)],
  ["a time after the year 9999", "form", at(2, 253_402_300_800n)],
  ["settings as an array", "form", at(3, [])],
  ["an unknown setting", "profile", at(3, new Map([[9, 1]]))],
  ["a counter to move to", "profile", at(3, new Map([[7, 1]]))],
  ["a key to roll", "profile", at(3, new Map([[8, true]]))],
];

const commands: Row[] = [
  ...ids(4),
  ...ids(5),
  ...paddings,
  ["nothing in it", "profile", raw("")],
  ["an element less", "profile", less],
  ["counter 0", "sequence", at(0, 0)],
  ["a counter of 2^53", "cbor", at(0, 2n ** 53n)],
  ["an issue after the year 9999", "form", at(1, 253_402_300_800n)],
  ["an expiry before its issue", "form", at(2, 1)],
  ["action 0", "form", at(3, 0)],
  ["action 4", "form", at(3, 4)],
  ["an action as text", "form", at(3, "delete")],
  ["a parameter of a delete", "profile", at(6, new Map([[1, Buffer.alloc(16)]]))],
];

const requests: Row[] = [
  ["a claim of 15 bytes", "size", at(6, new Map([[1, Buffer.alloc(15)]]))],
  ["a claim as text", "form", at(6, new Map([[1, "0123456789abcdef"]]))],
  ["a parameter of an update", "profile", at(6, new Map([[8, true]]))],
  ["parameter 2", "profile", at(6, new Map([[2, Buffer.alloc(16)]]))],
  [
    "two parameters",
    "profile",
    at(
      6,
      new Map<number, unknown>([
        [1, Buffer.alloc(16)],
        [2, 0],
      ]),
    ),
  ],
  ["parameters as an array", "profile", at(6, [])],
];

const replies: Row[] = [
  ...counters,
  ...paddings,
  ["nothing in it", "profile", raw("")],
  ["an element less", "profile", less],
  ["a command's hash of 16 bytes", "size", at(1, Buffer.alloc(16))],
  ["status 0", "form", at(2, 0)],
  ["status 8", "form", at(2, 8)],
  ["a detail where there is none", "form", at(3, 1)],
  ["a detail as text", "form", at(3, "done")],
  ["null for the detail", "form", at(3, null)],
];

/** Padded, its last zero a one. */
function ones(parts: unknown[]): Buffer {
  const padded = padOracle(parts);
  padded[padded.length - 1] = 1;
  return padded;
}

function trailing(parts: unknown[]): Buffer {
  return Buffer.concat([toBinary(encodeOracle(parts)), Buffer.alloc(1)]);
}

const enrol = createEnrolOpener(crypto, readCsrKey);
const enrolled = createEnrolledOpener(crypto);
const command = createCommandOpener(crypto);
const openReply = createReplyOpener(crypto);

interface Kind {
  layers: [layer: string, rows: Row[]][];
  build: (changes: ContentChanges) => Bytes;
  open: (message: Bytes) => unknown;
}

const KINDS: { [name: string]: Kind } = {
  enrol: {
    layers: [...wrongLayers("enrol", "event", device, cloud), ["the content", enrols]],
    build: (changes) => buildEnrol(device, [cloud], 7, changes).message,
    open: (message) => enrol.open(enrol.parse(message), device.kid, cloud),
  },
  enrolled: {
    layers: [
      ...wrongLayers("enrolled", "command", registrar, device, true),
      ["the content", enrolleds],
    ],
    build: (changes) => buildEnrolled(registrar, device, changes).message,
    open: (message) => enrolled.open(enrolled.parse(message), device, registrar.publicKey),
  },
  command: {
    layers: [
      ...wrongLayers("command", "enrolled", provisioner, device, true),
      ["the content", commands],
    ],
    build: (changes) => buildCommand(provisioner, device, commandOracle(3), changes).message,
    open: (message) => command.open(command.parse(message), device, provisioner.publicKey),
  },
  request: {
    layers: [["the parameters", requests]],
    build: (changes) => buildCommand(provisioner, device, commandOracle(1), changes).message,
    open: (message) => command.open(command.parse(message), device, provisioner.publicKey),
  },
  reply: {
    layers: [...wrongLayers("reply", "event", device, cloud), ["the content", replies]],
    build: (changes) => buildReply(device, [cloud], 7, STATUS_DONE, 0, changes).message,
    open: (message) => openReply(parseSign1(message), device, cloud),
  },
};

describe.each(Object.keys(KINDS))("%s", (name) => {
  const { layers, build, open } = KINDS[name] as Kind;

  it("with nothing wrong opens", () => {
    expect(codeOf(() => open(build({})))).toBe("none");
    expect(live()).toBe(0);
  });

  describe.each([...layers, ["the header of Encrypt", headers] as [string, Row[]]])(
    "%s",
    (_, rows) => {
      it.each(rows)("with %s is refused: %s", (_name, code, changes) => {
        expect(codeOf(() => open(build(changes)))).toBe(code);
        expect(live()).toBe(0);
      });
    },
  );
});
