import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeContent, decodeText, readInput } from "../../../scripts/inspect/input.ts";
import { fromBinary, toBinary } from "../../support/cbor-oracle.ts";

describe("a captured message", () => {
  it("is the same from its bytes and from every text of them", () => {
    // A message begins with a CBOR tag: no text does.
    const messages = fc.uint8Array({ minLength: 4, maxLength: 300 }).map((rest) => {
      return Buffer.concat([Buffer.from([0xd2, 0x84]), rest]);
    });
    fc.assert(
      fc.property(messages, (message) => {
        const hex = message.toString("hex");
        const bytes = fromBinary(message);
        expect(decodeContent(message)).toBe(bytes);
        expect(decodeContent(Buffer.from(`${hex}\n`))).toBe(bytes);
        expect(decodeText(hex.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:"))).toBe(bytes);
        expect(decodeText(message.toString("base64url"))).toBe(bytes);
      }),
    );
  });

  it("is bytes or one line of explanation, whatever is given", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        try {
          expect(toBinary(decodeText(text)).length).toBeGreaterThan(0);
        } catch (error) {
          expect((error as Error).message).toMatch(/^message, expected [^\n]*, got [^\n]*$/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("is read as far as a message can go, and no further", async () => {
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          given++;
          yield Buffer.alloc(65536);
        }
      })(),
    );
    await expect(readInput("-", endless)).rejects.toThrow(/at most 262144 bytes/);
    expect(given).toBeLessThan(50);
    expect(await readInput("-", Readable.from([Buffer.from("ab"), Buffer.from("cd")]))).toEqual(
      Buffer.from("abcd"),
    );
  });
});
