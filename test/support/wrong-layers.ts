/**
 * What can be wrong with any Sign1(Encrypt), one thing each, whatever its class: of the
 * Sign1, of the Encrypt and of its recipient. And the door, with its keys counted.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import type { CoseCrypto } from "../../protocol/cose/crypto.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import { encodeOracle, toBinary } from "./cbor-oracle.ts";
import {
  aadOracle,
  kdfContextOracle,
  type SealedChanges,
  type SealedClass,
} from "./cose-builder.ts";
import type { Party } from "./parties.ts";

type Header = Map<number, unknown>;

/** What is wrong, the code it is refused with, and how it is made. */
export type WrongRow<Changes = SealedChanges> = [name: string, code: string, changes: Changes];

/** The door, and how many keys of its making have not been destroyed. */
export function countKeys(door: CoseCrypto): { crypto: CoseCrypto; live: () => number } {
  let keys = 0;
  function counted<T>(value: T): T {
    keys++;
    return value;
  }
  const counting: CoseCrypto = {
    ...door,
    keyAgreementUnwrap: (...args) => counted(door.keyAgreementUnwrap(...args)),
    aeadDecryptKey: (...args) => counted(door.aeadDecryptKey(...args)),
    destroyKey(key) {
      door.destroyKey(key);
      keys--;
    },
  };
  return { crypto: counting, live: () => keys };
}

/** The header with entries put in or replaced; new ones go to the end. */
export function set(...entries: [number, unknown][]) {
  return (header: Header) => new Map([...header, ...entries]);
}

/** The header with only these entries, in this order. */
export function only(...labels: number[]) {
  return (header: Header) => new Map(labels.map((label) => [label, header.get(label)]));
}

/** The array with one element replaced. */
function at(index: number, value: unknown) {
  return (parts: unknown[]) => parts.map((part, i) => (i === index ? value : part));
}

/** The header's own bytes and a zero after them. */
export function trailing(header: Header): Buffer {
  return Buffer.concat([toBinary(encodeOracle(header)), Buffer.alloc(1)]);
}

function more(parts: unknown[]): unknown[] {
  return [...parts, Buffer.alloc(0)];
}

/** Changes the only recipient's array of three. */
function recipient(change: (entry: unknown[]) => unknown) {
  return { recipients: (list: unknown[]) => list.map((entry) => change(entry as unknown[])) };
}

function recipientHeader(change: (header: Header) => unknown) {
  return recipient((entry) => [entry[0], change(entry[1] as Header), entry[2]]);
}

function ephemeral(change: (key: Header) => unknown) {
  return recipientHeader((header) => new Map(header).set(-1, change(header.get(-1) as Header)));
}

/** Only what is signed for a device may bring its signer's certificate, and that one alone. */
const chainRows = (downward: boolean): WrongRow[] =>
  downward
    ? [
        ["a chain of two", "form", unprotected([33, [Buffer.alloc(9), Buffer.alloc(9)]])],
        ["a certificate's hash", "profile", unprotected([34, [-16, Buffer.alloc(32)]])],
        ["more beside the certificate", "profile", unprotected([33, Buffer.alloc(9)], [34, 0])],
        ["a bag of certificates", "profile", unprotected([32, Buffer.alloc(9)])],
      ]
    : [["a certificate chain", "profile", unprotected([33, Buffer.alloc(9)])]];

const unprotected = (...entries: [number, unknown][]) => ({
  signUnprotected: () => new Map(entries),
});

const sign1Rows = (messageClass: SealedClass, stranger: Party, otherAad: Bytes): WrongRow[] => [
  ["no tag", "profile", { sign1Tag: undefined }],
  ["the tag of COSE_Sign", "profile", { sign1Tag: 98 }],
  ["an element more", "profile", { sign1: more }],
  ["an element less", "profile", { sign1: (parts) => parts.slice(0, 3) }],
  ["ES384", "profile", { signHeader: set([1, -35]) }],
  ["EdDSA", "profile", { signHeader: set([1, -8]) }],
  ["no algorithm", "profile", { signHeader: only(4) }],
  ["no kid", "profile", { signHeader: only(1) }],
  ["the kid first", "profile", { signHeader: only(4, 1) }],
  ["a kid of 4 bytes", "size", { signHeader: set([4, Buffer.alloc(4)]) }],
  ["a kid as text", "form", { signHeader: set([4, "12345678"]) }],
  ["crit", "profile", { signHeader: set([2, [4]]) }],
  ["bytes after the protected header", "cbor", { signHeader: trailing }],
  ["a content type", "profile", { signHeader: set([3, 0]) }],
  ["an empty protected header", "profile", { signHeader: () => Buffer.alloc(0) }],
  ["alg unprotected too", "profile", { signUnprotected: () => new Map([[1, -7]]) }],
  ["a detached payload", "form", { sign1: at(2, null) }],
  ["an empty payload", "profile", { payload: () => "" as Bytes }],
  ["a signature of 63 bytes", "size", { sign1: at(3, Buffer.alloc(63)) }],
  ["a signature of 96 bytes", "size", { sign1: at(3, Buffer.alloc(96)) }],
  ["no signature", "form", { sign1: at(3, null) }],
  ["external_aad of another class", "signature", { signAad: otherAad }],
  [
    "external_aad of another device",
    "signature",
    { signAad: aadOracle(messageClass, stranger.thumbprint) },
  ],
  ["no external_aad", "signature", { signAad: "" as Bytes }],
];

const encryptRows = (
  messageClass: SealedClass,
  stranger: Party,
  otherAad: Bytes,
  downward: boolean,
): WrongRow[] => [
  ["no tag", "profile", { encryptTag: undefined }],
  ["the tag of Encrypt0", "profile", { encryptTag: 16 }],
  ["an element more", "profile", { encrypt: more }],
  ["an element less", "profile", { encrypt: (parts) => parts.slice(0, 3) }],
  ["bytes after it", "cbor", { payload: (content) => `${content}\0` as Bytes }],
  ["A256GCM", "profile", { encryptHeader: set([1, 3]) }],
  ["AES-CCM", "profile", { encryptHeader: set([1, 10]) }],
  ["ChaCha20/Poly1305", "profile", { encryptHeader: set([1, 24]) }],
  ["crit", "profile", { encryptHeader: set([2, [4]]) }],
  ["bytes after the protected header", "cbor", { encryptHeader: trailing }],
  ["a Partial IV", "profile", { encryptHeader: set([6, Buffer.from([1])]) }],
  ["an IV of 128 bits", "size", { encryptUnprotected: set([5, Buffer.alloc(16)]) }],
  ["no IV", "profile", { encryptUnprotected: () => new Map() }],
  [
    "a Partial IV for the IV",
    "profile",
    { encryptUnprotected: () => new Map([[6, Buffer.alloc(1)]]) },
  ],
  ["another unprotected header", "profile", { encryptUnprotected: set([4, Buffer.alloc(1)]) }],
  ["alg unprotected", "profile", { encryptUnprotected: (h) => new Map([[1, 1], ...h]) }],
  ["detached content", "form", { encrypt: at(2, null) }],
  ["content shorter than a tag", "decrypt", { encrypt: at(2, Buffer.alloc(15)) }],
  ["external_aad of another class", "decrypt", { encryptAad: otherAad }],
  [
    "external_aad of another device",
    "decrypt",
    { encryptAad: aadOracle(messageClass, stranger.thumbprint) },
  ],
  ["no external_aad", "decrypt", { encryptAad: "" as Bytes }],
  ["recipients that are no array", downward ? "profile" : "form", { encrypt: at(3, new Map()) }],
  ["no recipient", downward ? "profile" : "size", { recipients: () => [] }],
  [
    downward ? "two recipients" : "five recipients",
    downward ? "profile" : "size",
    { recipients: (list) => Array.from({ length: downward ? 2 : 5 }, () => list[0]) },
  ],
];

const recipientRows = (
  messageClass: SealedClass,
  sender: Party,
  receiver: Party,
  otherClass: MessageClass,
  downward: boolean,
): WrongRow[] => [
  ["an element more", "profile", recipient(more)],
  ["an empty protected header", "profile", recipient(at(0, Buffer.alloc(0)))],
  ["direct agreement (-25)", "profile", recipient(at(0, Buffer.from("a1013818", "hex")))],
  ["A256KW (-31)", "profile", recipient(at(0, Buffer.from("a101381e", "hex")))],
  ["static-static (-32)", "profile", recipient(at(0, Buffer.from("a101381f", "hex")))],
  ["crit", "profile", recipient(at(0, Buffer.from("a202810101381c", "hex")))],
  ["no kid", "profile", recipientHeader(only(-1))],
  ["another receiver's kid", "kid", recipientHeader(set([4, toBinary(sender.kid)]))],
  ["a kid of 32 bytes", "size", recipientHeader(set([4, toBinary(receiver.thumbprint)]))],
  ["a salt", "profile", recipientHeader(set([-20, Buffer.alloc(16)]))],
  ["alg unprotected", "profile", recipientHeader((h) => new Map([[1, -29], ...h]))],
  ["the ephemeral key first", "profile", recipientHeader(only(-1, 4))],
  [
    "a static key",
    "profile",
    recipientHeader(
      (h) =>
        new Map([
          [4, h.get(4)],
          [-2, h.get(-1)],
        ]),
    ),
  ],
  ["P-384", "profile", ephemeral(set([-1, 2]))],
  ["an OKP key", "profile", ephemeral(set([1, 1]))],
  ["x of 31 bytes", "size", ephemeral(set([-2, Buffer.alloc(31)]))],
  downward
    ? ["the sign of y", "form", ephemeral(set([-3, true]))]
    : ["the whole y", "form", ephemeral(set([-3, Buffer.alloc(32)]))],
  ["a member more", "profile", ephemeral(set([4, []]))],
  // x = 3 has no y: x^3 - 3x + b is no square there.
  ["x off the curve", "argument", ephemeral(set([-2, Buffer.from("3".padStart(64, "0"), "hex")]))],
  ["x above the field's prime", "argument", ephemeral(set([-2, Buffer.alloc(32, 255)]))],
  ["a wrapped key of 40 bytes", "size", recipient(at(2, Buffer.alloc(40)))],
  ["a wrap that does not verify", "decrypt", recipient(at(2, Buffer.alloc(24)))],
  ["a nested recipient", "profile", recipient((entry) => [...entry, [entry]])],
  [
    "nil identities",
    "decrypt",
    { kdfContext: kdfContextOracle(null, null, `coseflow/1 ${messageClass}`) },
  ],
  [
    "the KDF context of another class",
    "decrypt",
    {
      kdfContext: kdfContextOracle(
        sender.thumbprint,
        receiver.thumbprint,
        `coseflow/1 ${otherClass}`,
      ),
    },
  ],
  [
    "no SuppPubInfo.other",
    "decrypt",
    { kdfContext: kdfContextOracle(sender.thumbprint, receiver.thumbprint, undefined) },
  ],
  [
    "sender and recipient exchanged",
    "decrypt",
    {
      kdfContext: kdfContextOracle(
        receiver.thumbprint,
        sender.thumbprint,
        `coseflow/1 ${messageClass}`,
      ),
    },
  ],
];

/**
 * The rows for a message of the class by the sender to the receiver; the other class is one
 * to mistake it for. Downward the receiver is the device, upward the sender.
 */
export function wrongLayers(
  messageClass: SealedClass,
  otherClass: MessageClass,
  sender: Party,
  receiver: Party,
  downward = false,
): [layer: string, rows: WrongRow[]][] {
  const [device, stranger] = downward ? [receiver, sender] : [sender, receiver];
  const otherAad = aadOracle(otherClass, device.thumbprint);
  return [
    ["Sign1", [...sign1Rows(messageClass, stranger, otherAad), ...chainRows(downward)]],
    ["Encrypt", encryptRows(messageClass, stranger, otherAad, downward)],
    ["a recipient", recipientRows(messageClass, sender, receiver, otherClass, downward)],
  ];
}
