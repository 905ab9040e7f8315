import { describe, expect, it } from "vitest";
import type { CoseflowError } from "../../../protocol/errors.ts";
import { type OpenDeviceCrypto, openStandIn } from "../../../simulator/devcrypto/stand-in.ts";
import { native, type Open, useDirectories } from "./implementations.ts";

/*
 * The stand-in against the C module: every function, each argument in turn replaced by
 * every bad value, must end the same way.
 */

type Functions = Record<string, (...values: unknown[]) => unknown>;
type MakeArguments = (crypto: OpenDeviceCrypto) => unknown[];

const NONCE = "nonce 12 byt";
const ENCRYPT_DECRYPT = 4 | 8;
const WRAP_DECRYPT = 32 | 8;
const SEQUENCE = 16;
const CARRIED = 64;

const none: MakeArguments = () => [];
const id: MakeArguments = () => ["id"];
const aesKey: MakeArguments = (crypto) => [crypto.generateKey(ENCRYPT_DECRYPT)];
const sequenceKey: MakeArguments = (crypto) => [crypto.generateKey(SEQUENCE)];
const deviceKey: MakeArguments = (crypto) => [crypto.openDeviceKey()];
const point = (crypto: OpenDeviceCrypto) => crypto.exportPublicKey(crypto.openDeviceKey());

/** Arguments that are in order, or wrong only in a tag, signature or certificate. */
const ARGUMENTS: Record<string, MakeArguments> = {
  generateRandom: () => [4],
  hashCompute: () => ["input"],
  generateKey: () => [ENCRYPT_DECRYPT],
  destroyKey: aesKey,
  exportPublicKey: deviceKey,
  signMessage: (crypto) => [crypto.openDeviceKey(), "message"],
  verifyMessage: (crypto) => [point(crypto), "message", "s".repeat(64)],
  keyAgreementWrap: (crypto) => [point(crypto), "context", crypto.generateKey(CARRIED)],
  keyAgreementUnwrap: (crypto) => [
    crypto.openDeviceKey(),
    point(crypto),
    "context",
    "w".repeat(24),
    ENCRYPT_DECRYPT,
  ],
  aeadEncrypt: (crypto) => [...aesKey(crypto), NONCE, "aad", "plaintext"],
  aeadDecrypt: (crypto) => [...aesKey(crypto), NONCE, "aad", "c".repeat(40)],
  aeadEncryptKey: (crypto) => [
    crypto.generateKey(WRAP_DECRYPT),
    NONCE,
    "aad",
    "prefix",
    crypto.generateKey(CARRIED),
  ],
  aeadDecryptKey: (crypto) => [
    crypto.generateKey(WRAP_DECRYPT),
    NONCE,
    "aad",
    "c".repeat(40),
    8,
    ENCRYPT_DECRYPT,
  ],
  deriveKey: (crypto) => [crypto.generateKey(2), "info", ENCRYPT_DECRYPT],
  openDeviceKey: none,
  nextDeviceCounter: none,
  exportBaseIv: sequenceKey,
  reserveSequence: sequenceKey,
  aeadEncryptSequence: (crypto) => {
    const key = crypto.generateKey(SEQUENCE);
    return [key, crypto.reserveSequence(key), "aad", "plaintext"];
  },
  keepSession: sequenceKey,
  resumeSession: none,
  resetReason: none,
  generateKeyPair: () => [1],
  openKey: id,
  hasKey: id,
  nextCounter: (crypto) => {
    crypto.openKey("id");
    return ["id"];
  },
  moveCounter: (crypto) => {
    crypto.openKey("id");
    return ["id", 7];
  },
  eraseKey: id,
  writeCsr: deviceKey,
  verifyCertificate: () => ["leaf", "anchor", "role", 0x80, 0, 0],
  writeRecord: () => ["id", "record"],
  readRecord: id,
  eraseRecord: id,
  eraseAll: none,
  ringAppend: () => ["entry"],
  ringPeek: () => [0],
  ringDrop: () => [0],
  ringCount: none,
};

const BAD: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-1", -1],
  ["0", 0],
  ["1", 1],
  ["5", 5],
  ["20", 20],
  ["36", 36],
  ["48", 48],
  ["128", 128],
  ["256", 256],
  ["2^31", 2 ** 31],
  ["2^31 + 4", 2 ** 31 + 4],
  ["2^32", 2 ** 32],
  ["2^32 + 4", 2 ** 32 + 4],
  ["2^53", 2 ** 53],
  ["1.5", 1.5],
  ["4n", 4n],
  ["true", true],
  ["a symbol", Symbol("s")],
  ["{}", {}],
  ["an object without a prototype", Object.create(null)],
  ["[]", []],
  ["a function", () => 4],
  ["a Uint8Array", new Uint8Array(12)],
  ["a String object", Object("id")],
  ['""', ""],
  ['"4"', "4"],
  ["capitals", "ID"],
  ["12 bytes", "x".repeat(12)],
  ["65 bytes", "x".repeat(65)],
  ["a character above 255", "\u0100"],
  ["one above 255 among twelve", `\u0100${"x".repeat(11)}`],
  ["4161 bytes", "x".repeat(4161)],
  ["4161 characters above 255", "\u0100".repeat(4161)],
];

/** Class and code of what is thrown; "returns" when nothing is. */
function outcomeOf(action: () => unknown): string {
  try {
    action();
    return "returns";
  } catch (error) {
    return `${(error as Error).name} ${(error as CoseflowError).code}`;
  }
}

function outcomes(open: Open, directory: () => string, name: string): Record<string, string> {
  const result: Record<string, string> = {};
  const probe = open(directory());
  const count = (ARGUMENTS[name] as MakeArguments)(probe).length;
  probe.close();
  for (let at = 0; at < count; at++) {
    let crypto = open(directory());
    BAD.forEach(([title, bad], index) => {
      // Before the keys of the attempts fill the slots.
      if (index % 5 === 0) {
        crypto.close();
        crypto = open(directory());
      }
      const values = (ARGUMENTS[name] as MakeArguments)(crypto);
      values[at] = bad;
      const run = (crypto as unknown as Functions)[name] as Functions[string];
      result[`argument ${at}: ${title}`] = outcomeOf(() => run(...values));
    });
    crypto.close();
  }
  return result;
}

describe.skipIf(native.kind !== "native")("bad arguments: stand-in and C module", () => {
  const directory = useDirectories();

  it("are tried on every function", () => {
    const crypto = openStandIn(directory());
    const { close, ...functions } = crypto;
    close();
    expect(Object.keys(ARGUMENTS)).toEqual(expect.arrayContaining(Object.keys(functions)));
  });

  it.each(Object.keys(ARGUMENTS))("of %s end the same way", (name) => {
    const probe = openStandIn(directory());
    const isThere = name in probe;
    probe.close();
    if (!isThere) return;
    const expected = outcomes(native.open, directory, name);
    expect(outcomes(openStandIn, directory, name)).toEqual(expected);
  });

  it("that are missing end the same way", () => {
    const [one, other] = [openStandIn(directory()), native.open(directory())];
    const { close: closeOne, ...functions } = one;
    for (const name of Object.keys(functions)) {
      const of = (crypto: OpenDeviceCrypto) =>
        outcomeOf(() => (crypto as unknown as Functions)[name]?.());
      expect([name, of(one)]).toEqual([name, of(other)]);
    }
    closeOne();
    other.close();
  });

  it("beside full slots are still arguments", () => {
    for (const open of [openStandIn, native.open]) {
      const crypto = open(directory());
      for (let i = 0; i < 16; i++) crypto.generateKey(2);
      for (const usage of [0, 1, 128, 2 ** 31, 2 ** 32])
        expect(outcomeOf(() => crypto.generateKey(usage))).toBe("Error argument");
      for (const usage of [0, 4, 128, 2 ** 32])
        expect(outcomeOf(() => crypto.generateKeyPair(usage))).toBe("Error argument");
      crypto.close();
    }
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 5],
    ["an object", {}],
    ["no path", ""],
    ["a zero character", "/tmp/a\0b"],
    ["a long one", `/tmp/${"x".repeat(5000)}`],
    ["one under a file", "/dev/null/store"],
  ])("of open: %s ends the same way", (_name, path) => {
    const of = (open: Open) => outcomeOf(() => open(path as string));
    expect(of(openStandIn)).toBe(of(native.open));
  });
});
