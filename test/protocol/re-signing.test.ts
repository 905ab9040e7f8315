/**
 * The attack that the identities in the KDF context and external_aad are there for:
 * another enrolled device strips the signature off a session message, signs the
 * Encrypt in its own name, and the cloud would take the victim's session key for the
 * attacker's: readings of the one would count as the other's.
 */
import { createDecipheriv, ECDH } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";
import { ACTION_DELETE, type Command } from "../../protocol/command-content.ts";
import { createCommandMaker, createCommandOpener } from "../../protocol/command-message.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createReplyMaker, createReplyOpener, STATUS_DONE } from "../../protocol/reply-message.ts";
import { createSessionOpener } from "../../protocol/session-message.ts";
import { decodeOracle, encodeOracle, type Tag, toBinary } from "../support/cbor-oracle.ts";
import {
  aadOracle,
  buildSession,
  buildSign1,
  kdfContextOracle,
  kekOracle,
  type SessionChanges,
} from "../support/cose-builder.ts";
import { makeParty, nodeCrypto, type Party } from "../support/parties.ts";
import { codeOf } from "../support/refusal.ts";

const victim = makeParty();
const attacker = makeParty();
const cloud = makeParty();
const open = createSessionOpener(nodeCrypto);

const NIL_CONTEXT = kdfContextOracle(null, null, "coseflow/1 session");
/** external_aad with the class alone. */
const NIL_AAD = encodeOracle(["coseflow/1", "session"]);

/** What a receiver whose KDF context and external_aad are these makes of an Encrypt. */
function openWith(encrypt: Bytes, context: Bytes, aad: Bytes): Map<number, unknown> {
  const [header, unprotected, ciphertext, recipients] = (decodeOracle(encrypt) as Tag).value as [
    Buffer,
    Map<number, Buffer>,
    Buffer,
    [[Buffer, Map<number, unknown>, Buffer]],
  ];
  const epk = recipients[0][1].get(-1) as Map<number, unknown>;
  const point = toPoint(epk.get(-2) as Buffer, epk.get(-3) as boolean);
  const kek = kekOracle(cloud.privateKey, point, context);
  const unwrap = createDecipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
  const cek = Buffer.concat([unwrap.update(recipients[0][2]), unwrap.final()]);
  const decipher = createDecipheriv("aes-128-gcm", cek, unprotected.get(5) as Buffer);
  decipher.setAAD(toBinary(encodeOracle(["Encrypt", header, toBinary(aad)])));
  decipher.setAuthTag(ciphertext.subarray(-16));
  const plaintext = Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]);
  return decodeOracle(plaintext.toString("latin1") as Bytes) as Map<number, unknown>;
}

describe("a session message that another enrolled device signed again", () => {
  it("is refused: decrypt", () => {
    const stolen = parseSign1(buildSession(victim, [cloud]).message).payload;
    const message = buildSign1(attacker, stolen);
    expect(codeOf(() => open(parseSign1(message), attacker, cloud))).toBe("decrypt");
  });

  it("would be taken, key and all, were neither identity bound", () => {
    const unbound: SessionChanges = { kdfContext: NIL_CONTEXT, encryptAad: NIL_AAD };
    const built = buildSession(victim, [cloud], unbound);
    const resigned = parseSign1(buildSign1(attacker, parseSign1(built.message).payload));
    expect(resigned.kid).toBe(attacker.kid);
    expect(openWith(resigned.payload, NIL_CONTEXT, NIL_AAD).get(-1)).toEqual(built.sessionKey);
  });

  it.each([
    ["the KDF context", { encryptAad: NIL_AAD }, NIL_AAD, true],
    ["external_aad", { kdfContext: NIL_CONTEXT }, aadOracle("session", attacker.thumbprint), false],
  ])("is stopped by %s alone", (_name, changes: SessionChanges, aad, bindsContext) => {
    const built = buildSession(victim, [cloud], changes);
    const resigned = parseSign1(buildSign1(attacker, parseSign1(built.message).payload));
    const asAttackers = kdfContextOracle(
      attacker.thumbprint,
      cloud.thumbprint,
      "coseflow/1 session",
    );
    const context = bindsContext ? asAttackers : NIL_CONTEXT;
    expect(() => openWith(resigned.payload, context, aad)).toThrow();
  });
});

describe("a reply that another enrolled device signed again", () => {
  const content = { command: "c".repeat(32) as Bytes, status: STATUS_DONE, detail: 0 };
  const openReply = createReplyOpener(nodeCrypto);

  it("is refused: decrypt", () => {
    const made = createReplyMaker(nodeCrypto)(victim, [cloud], 7, content);
    const own = buildSign1(attacker, parseSign1(made.message).payload, {}, "reply");
    expect(openReply(parseSign1(made.message), victim, cloud)).toMatchObject({ counter: 7 });
    expect(codeOf(() => openReply(parseSign1(own), attacker, cloud))).toBe("decrypt");
    // Nor does it pass as the victim's, whose key id it has not.
    expect(codeOf(() => openReply(parseSign1(own), victim, cloud))).toBe("kid");
  });
});

describe("a command that another provisioner signed again", () => {
  const command: Command = {
    ...{ counter: 9, issued: 1, expires: 2, action: ACTION_DELETE },
    ...{ deviceId: "shed" as Bytes, userId: "ann" as Bytes },
  };
  const opener = createCommandOpener(nodeCrypto);
  const openAs = (message: Bytes, device: Party, signer: Party) =>
    opener.open(opener.parse(message), device, signer.publicKey);
  const device = makeParty();
  const other = makeParty();
  const made = createCommandMaker(nodeCrypto).sealed(victim, device, command, undefined);

  it("is refused: decrypt", () => {
    expect(openAs(made.message, device, victim).command).toMatchObject(command);
    const stolen = parseSign1(made.message).payload;
    const own = buildSign1(attacker, stolen, {}, "command", device.thumbprint);
    expect(codeOf(() => openAs(own, device, attacker))).toBe("decrypt");
  });

  it("or taken to another device, is refused by that one", () => {
    expect(codeOf(() => openAs(made.message, other, victim))).toBe("signature");
    const stolen = parseSign1(made.message).payload;
    const moved = buildSign1(attacker, stolen, {}, "command", other.thumbprint);
    expect(codeOf(() => openAs(moved, other, attacker))).toBe("kid");
  });
});

/** A point from x and the sign of y (SEC 1 section 2.3.4). */
function toPoint(x: Buffer, odd: boolean): Bytes {
  const compressed = Buffer.concat([Buffer.from([odd ? 3 : 2]), x]);
  return ECDH.convertKey(compressed, "prime256v1", undefined, "latin1", "uncompressed") as Bytes;
}
