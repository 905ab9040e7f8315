/** The three forms of a command: which is which, and that none is read as another. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { cborBytes } from "../../protocol/cbor.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  ACTION_UPDATE,
  type Command,
  FORM_PLAIN,
  FORM_SEALED,
  FORM_SIGNED,
  writeCommand,
} from "../../protocol/command-content.ts";
import { createCommandMaker, createCommandOpener } from "../../protocol/command-message.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { encodeOracle, fromBinary } from "../support/cbor-oracle.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import {
  buildSignedCommand,
  commandOracle,
  padOracle,
  resign,
  text,
} from "../support/provisioning-builder.ts";
import { codeOf, flipEveryBit, MESSAGE_CODES } from "../support/refusal.ts";

const REQUEST: Command = {
  counter: 1_800_000_000_000,
  issued: 1_800_000_000,
  expires: 1_800_003_600,
  action: ACTION_REQUEST,
  deviceId: text("shed"),
  userId: text("ann"),
};
/** What only a sealed command may be. */
const SEALED_ONLY: [string, Command][] = [
  ["a claim", { ...REQUEST, claim: bytes("0123456789abcdef") }],
  ["an update", { ...REQUEST, action: ACTION_UPDATE, update: {} }],
  ["a delete", { ...REQUEST, action: ACTION_DELETE }],
];

const provisioner = makeParty();
const device = makeParty();
const make = createCommandMaker(nodeCrypto);
const opener = createCommandOpener(nodeCrypto);
const open = (message: Bytes) => opener.open(opener.parse(message), device, provisioner.publicKey);

const sealed = make.sealed(provisioner, device, REQUEST, undefined);
const signed = make.signed(provisioner, device.thumbprint, REQUEST, undefined);
const plain = make.plain(REQUEST);

describe("the forms of a request", () => {
  it.each([
    ["sealed", FORM_SEALED, sealed, false],
    ["signed", FORM_SIGNED, signed, true],
    ["plain", FORM_PLAIN, plain, true],
  ])("%s: told from its first bytes, read as what it is", (_name, form, made, isReadable) => {
    expect(opener.parse(made.message).form).toBe(form);
    expect(open(made.message)).toMatchObject({ command: REQUEST, hash: made.hash });
    expect(made.message.includes("\x64shed")).toBe(isReadable);
    expect(made.message.includes("\x63ann")).toBe(isReadable);
  });

  it("are as long as this", () => {
    const lengths = [sealed, signed, plain].map(({ message }) => message.length);
    console.log(`request: ${lengths} bytes sealed, signed, plain`);
    expect(lengths).toEqual([309, 116, 31]);
  });

  it("have names of their own, the plain one that of its bytes", () => {
    expect(new Set([sealed.hash, signed.hash, plain.hash]).size).toBe(3);
    expect(plain.hash).toBe(nodeCrypto.hashCompute(plain.message));
  });

  it("are taken as the other implementation makes them", () => {
    const command = commandOracle(ACTION_REQUEST);
    expect(open(buildSignedCommand(provisioner, device, command)).command).toEqual(REQUEST);
    expect(encodeOracle(command)).toBe(plain.message);
  });
});

describe("what only a sealed command may be", () => {
  it.each(SEALED_ONLY)("%s is neither made nor taken signed or plain", (_name, command) => {
    expect(codeOf(() => make.signed(provisioner, device.thumbprint, command, undefined))).toBe(
      "profile",
    );
    expect(codeOf(() => make.plain(command))).toBe("profile");
    const content = writeCommand(command, FORM_PLAIN);
    expect(codeOf(() => open(content))).toBe("profile");
    expect(codeOf(() => open(resign(provisioner, device, "command", content)))).toBe("profile");
    const { message } = make.sealed(provisioner, device, command, undefined);
    expect(open(message).command).toEqual(command);
  });
});

describe("one form in place of another", () => {
  const payload = parseSign1(sealed.message).payload;

  it.each<[string, Bytes, string]>([
    ["an Encrypt without its signature", payload, "profile"],
    ["the Encrypt where the array stands", withPayload(payload), "signature"],
    ["the array where the Encrypt stands", withPayload(plain.message, sealed.message), "signature"],
    ["a signed command in a signed command", again(signed.message), "profile"],
    ["a sealed command in a signed command", again(sealed.message), "profile"],
    ["a byte string in a signed command", again(bytes("\x41\x87")), "profile"],
    ["an array of eight", again(bytes("\x88\x01")), "profile"],
    ["an empty payload", again(bytes("")), "profile"],
    ["the array under the tag of Sign1", `\xd2${plain.message}` as Bytes, "profile"],
  ])("%s is refused", (_name, message, code) => {
    expect(codeOf(() => open(message))).toBe(code);
  });

  /** The signed command with another payload under its old signature. */
  function withPayload(value: Bytes, message = signed.message): Bytes {
    const { payload: old } = parseSign1(message);
    expect(message).toContain(cborBytes(old));
    return message.replace(cborBytes(old), cborBytes(value)) as Bytes;
  }

  function again(value: Bytes): Bytes {
    return resign(provisioner, device, "command", value);
  }
});

describe("a signed request", () => {
  it("is refused for every single-bit flip, and for a cut anywhere", () => {
    const codes = flipEveryBit(signed.message, open);
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
    for (let length = 0; length < signed.message.length; length++)
      expect(MESSAGE_CODES).toContain(codeOf(() => open(signed.message.slice(0, length) as Bytes)));
  });

  it("of another device, signer or class is refused", () => {
    const other = makeParty();
    const read = (message: Bytes, to = device, by = provisioner) =>
      codeOf(() => opener.open(opener.parse(message), to, by.publicKey));
    expect(read(signed.message, other)).toBe("signature");
    expect(read(signed.message, device, other)).toBe("kid");
    expect(read(resign(other, device, "command", plain.message))).toBe("kid");
    expect(read(resign(provisioner, device, "enrolled", plain.message))).toBe("signature");
  });
});

describe("a plain request", () => {
  it("is believed by nothing: any change that is well-formed opens", () => {
    const changed = make.plain({ ...REQUEST, userId: text("eve") });
    expect(open(changed.message).command.userId).toBe("eve");
    expect(changed.hash).not.toBe(plain.hash);
  });

  it("is read or refused whatever its bytes are", () => {
    const spliced = fc
      .tuple(fc.nat(64), fc.uint8Array({ maxLength: 9 }), fc.nat(9))
      .map(
        ([at, put, cut]) =>
          plain.message.slice(0, at) + fromBinary(put) + plain.message.slice(at + cut),
      );
    const noise = fc.uint8Array({ maxLength: 90 }).map((rest) => `\x87${fromBinary(rest)}`);
    fc.assert(
      fc.property(fc.oneof(noise, spliced), (message) => {
        expect(["none", ...MESSAGE_CODES]).toContain(codeOf(() => open(message as Bytes)));
      }),
      { numRuns: 1000 },
    );
  });

  it("is not padded: what follows it is refused", () => {
    expect(codeOf(() => open(`${plain.message}\0` as Bytes))).toBe("cbor");
    expect(codeOf(() => open(fromBinary(padOracle(commandOracle(ACTION_REQUEST)))))).toBe("cbor");
  });
});
