import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  ACTION_UPDATE,
  type Command,
  FORM_SEALED,
} from "../../protocol/command-content.ts";
import { createCommandMaker, createCommandOpener } from "../../protocol/command-message.ts";
import { hashSign1, parseSign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { createEnrolledOpener } from "../../protocol/enrolled-message.ts";
import { DOWNWARD_LIMIT } from "../../protocol/topics.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { decodeOracle, encodeOracle } from "../support/cbor-oracle.ts";
import { makeParty, nodeCrypto, openDevice, type TestDevice } from "../support/parties.ts";
import { buildCommand, commandOracle, resign, text } from "../support/provisioning-builder.ts";
import { codeOf, flipEveryByte, MESSAGE_CODES } from "../support/refusal.ts";

const CLAIM = bytes("0123456789abcdef");
const LEAF = bytes("l".repeat(370));

const BASE = {
  counter: 1_800_000_000_123,
  issued: 1_800_000_000,
  expires: 1_800_003_600,
  deviceId: text("shed"),
  userId: text("ann"),
};
const REQUEST: Command = { ...BASE, action: ACTION_REQUEST };
const ROLL: Command = { ...BASE, action: ACTION_UPDATE, update: { roll: true } };
const DELETE: Command = { ...BASE, action: ACTION_DELETE };

/** As long as an update of two networks gets. */
const WIFI: Update = {
  wifi: ["a", "b"].map((name) => ({
    ssid: text(name.repeat(31)),
    password: text(name.repeat(63)),
  })),
};
const LONG_IDS = { deviceId: text("d".repeat(64)), userId: text("u".repeat(64)) };

const provisioner = makeParty();
const make = createCommandMaker(nodeCrypto);
let device: TestDevice;

beforeAll(() => {
  device = openDevice();
});
afterAll(() => {
  device.close();
});

const seal = (command: Command, leaf?: Bytes) => make.sealed(provisioner, device, command, leaf);

function open(message: Bytes, by = provisioner) {
  const command = createCommandOpener(device.crypto);
  return command.open(command.parse(message), device, by.publicKey);
}

describe("a sealed command", () => {
  it.each<[string, Command]>([
    ["request", REQUEST],
    ["request with a claim", { ...REQUEST, claim: CLAIM }],
    ["update", ROLL],
    ["update of nothing", { ...BASE, action: ACTION_UPDATE, update: {} }],
    ["delete", DELETE],
    ["of the highest counter", { ...DELETE, counter: 2 ** 53 - 1 }],
    ["with ids of other scripts", { ...DELETE, deviceId: text("納屋"), userId: text("Ännchen") }],
  ])("gives the device the %s, and its name", (_name, command) => {
    const { message, hash } = seal(command);
    expect(open(message)).toMatchObject({ command, hash });
    const aad = createStructures().externalAad("command", device.thumbprint);
    expect(hashSign1(nodeCrypto, parseSign1(message), aad)).toBe(hash);
  });

  it("carries the provisioner's certificate, which the signature does not cover", () => {
    const { parse } = createCommandOpener(device.crypto);
    const { message, hash } = seal(DELETE, LEAF);
    expect(parse(message)).toMatchObject({ leaf: LEAF, form: FORM_SEALED });
    expect(parse(seal(DELETE).message).leaf).toBeUndefined();
    expect(open(message)).toMatchObject({ command: DELETE, hash });
    expect(open(message.replace(LEAF, "x".repeat(370)) as Bytes).hash).toBe(hash);
  });

  it("tells by its length no action, id, claim or counter apart", () => {
    const commands = [
      REQUEST,
      { ...REQUEST, claim: CLAIM, deviceId: text("d") },
      ROLL,
      DELETE,
      { ...DELETE, counter: 1 },
    ];
    expect(new Set(commands.map((command) => seal(command).message.length))).toEqual(
      new Set([309]),
    );
  });

  it("fits with the leaf, the longest ids and two of the longest networks", () => {
    const command = { ...BASE, ...LONG_IDS, action: ACTION_UPDATE, update: WIFI };
    const { message } = seal(command, LEAF);
    const bare = seal(command).message.length;
    console.log(
      `command: update of two networks ${message.length} bytes with leaf, ${bare} without`,
    );
    expect(message.length).toBe(1006);
    expect(message.length).toBeLessThanOrEqual(DOWNWARD_LIMIT);
    expect(open(message).command).toEqual(command);
  });

  it("is not made beyond the limit", () => {
    const host = text("h".repeat(253));
    const brokers = ["u", "v", "w"].map((username) => ({
      host,
      port: 1883,
      username: text(username),
      tls: false,
      maxQos: 2 as const,
    }));
    expect(codeOf(() => seal({ ...ROLL, update: { brokers } }))).toBe("size");
  });

  it.each<[string, string, object]>([
    ["counter 0", "sequence", { counter: 0 }],
    ["an expiry at its issue", "form", { expires: BASE.issued }],
    ["action 0", "form", { action: 0 }],
    ["action 4", "form", { action: 4 }],
    ["an empty device id", "size", { deviceId: "" }],
    ["a user id of 65 bytes", "size", { userId: "u".repeat(65) }],
    ["a claim of 15 bytes", "size", { claim: CLAIM.slice(1) }],
    ["an update in a request", "profile", { update: { roll: true } }],
    ["a claim in a delete", "profile", { action: ACTION_DELETE, claim: CLAIM }],
    ["an update that no device takes", "size", { action: ACTION_UPDATE, update: { wifi: [] } }],
  ])("is not made with %s: %s", (_name, code, changes) => {
    expect(codeOf(() => seal({ ...REQUEST, ...changes }))).toBe(code);
  });

  it("is deterministic CBOR", () => {
    const { message } = seal(ROLL, LEAF);
    expect(encodeOracle(decodeOracle(message))).toBe(message);
  });

  it("is taken as the other implementation makes it", () => {
    const party = makeParty();
    const { message } = buildCommand(provisioner, party, commandOracle(2, new Map([[8, true]])));
    const opener = createCommandOpener(nodeCrypto);
    const { command } = opener.open(opener.parse(message), party, provisioner.publicKey);
    expect(command).toEqual({ ...ROLL, counter: 1_800_000_000_000 });
  });
});

describe("refusals", () => {
  it("refuses a flip in every byte", () => {
    const codes = flipEveryByte(seal(DELETE).message, open);
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
  });

  it("refuses every truncation and every byte more", () => {
    const { message } = seal(DELETE, bytes("leaf"));
    for (let length = 0; length < message.length; length++)
      expect(MESSAGE_CODES).toContain(codeOf(() => open(message.slice(0, length) as Bytes)));
    expect(codeOf(() => open(`${message}\0` as Bytes))).toBe("cbor");
    expect(codeOf(() => open(message.padEnd(DOWNWARD_LIMIT + 1, "\0") as Bytes))).toBe("size");
  });

  it("refuses another signer, and one that only puts its name to it", () => {
    const other = makeParty();
    const { message } = seal(DELETE);
    expect(codeOf(() => open(message, other))).toBe("kid");
    const { payload } = parseSign1(message);
    expect(codeOf(() => open(resign(other, device, "command", payload)))).toBe("kid");
    expect(codeOf(() => open(resign(other, device, "command", payload), other))).toBe("decrypt");
  });

  it("refuses what is for another device", () => {
    const neighbour = makeParty();
    const opener = createCommandOpener(nodeCrypto);
    const read = (message: Bytes) =>
      codeOf(() => opener.open(opener.parse(message), neighbour, provisioner.publicKey));
    const { message } = seal(DELETE);
    expect(read(message)).toBe("signature");
    const { payload } = parseSign1(message);
    expect(read(resign(provisioner, neighbour, "command", payload))).toBe("kid");
  });

  it("refuses to open what is signed without a key to check it by", () => {
    const opener = createCommandOpener(device.crypto);
    const parsed = opener.parse(seal(DELETE).message);
    expect(codeOf(() => opener.open(parsed, device, undefined))).toBe("argument");
  });

  it("is no enrolled message, were its signer taken for a registrar", () => {
    const enrolled = createEnrolledOpener(device.crypto);
    const { message } = seal(DELETE);
    const read = (value: Bytes) =>
      codeOf(() => enrolled.open(enrolled.parse(value), device, provisioner.publicKey));
    expect(read(message)).toBe("signature");
    const { payload } = parseSign1(message);
    expect(read(resign(provisioner, device, "enrolled", payload))).toBe("decrypt");
  });
});
