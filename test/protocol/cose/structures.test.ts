import { describe, expect, it } from "vitest";
import { bytes, toHex } from "../../../protocol/bytes.ts";
import { createStructures, RECIPIENT_PROTECTED } from "../../../protocol/cose/structures.ts";
import type { MessageClass } from "../../../protocol/topics.ts";
import { encodeOracle, hex, toBinary } from "../../support/cbor-oracle.ts";
import { aadOracle, kdfContextOracle } from "../../support/cose-builder.ts";

const { encStructure, externalAad, kdfContext, sigStructure } = createStructures();

const device = hex(`${"00".repeat(31)}ff`);
const cloud = hex("a5".repeat(32));
const CLASSES: MessageClass[] = ["session", "reading", "receipt"];
/** Lengths on both sides of every step of a CBOR head. */
const LENGTHS = [0, 1, 23, 24, 255, 256, 65535, 65536];

describe("externalAad", () => {
  it.each(CLASSES)("is [profile, class, device thumbprint] for %s, as cbor-x writes it", (name) => {
    expect(externalAad(name, device)).toBe(aadOracle(name, device));
  });

  it("differs between any two classes and any two devices", () => {
    const all = CLASSES.flatMap((name) => [externalAad(name, device), externalAad(name, cloud)]);
    expect(new Set(all).size).toBe(6);
  });
});

describe("sigStructure and encStructure", () => {
  it.each(LENGTHS)("equal cbor-x's with parts of %i bytes", (length) => {
    const part = bytes("\xff".repeat(length));
    const binary = toBinary(part);
    expect(sigStructure(part, part, part)).toBe(
      encodeOracle(["Signature1", binary, binary, binary]),
    );
    for (const context of ["Encrypt", "Encrypt0"])
      expect(encStructure(context, part, part)).toBe(encodeOracle([context, binary, binary]));
  });

  it("give the ToBeSigned bytes of RFC 9052 appendix C.2.1", () => {
    const structure = sigStructure(hex("a10126"), bytes(""), bytes("This is the content."));
    expect(toHex(structure)).toBe(
      "846a5369676e61747572653143a101264054546869732069732074686520636f6e74656e742e",
    );
  });
});

describe("kdfContext", () => {
  it.each(CLASSES)(
    "is COSE_KDF_Context with both identities for %s, as cbor-x writes it",
    (name) => {
      const expected = kdfContextOracle(device, cloud, `coseflow/1 ${name}`);
      expect(kdfContext(name, device, cloud)).toBe(expected);
    },
  );

  it("names the sender first: the two directions differ", () => {
    expect(kdfContext("session", device, cloud)).not.toBe(kdfContext("session", cloud, device));
  });

  it("carries the protected header of the one recipient form, {1: -29}", () => {
    expect(RECIPIENT_PROTECTED).toBe(encodeOracle(new Map([[1, -29]])));
    expect(kdfContext("session", device, cloud)).toContain(RECIPIENT_PROTECTED);
  });
});
