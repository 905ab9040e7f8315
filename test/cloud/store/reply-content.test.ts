import { describe, expect, it } from "vitest";
import { readReplyContent, writeReplyContent } from "../../../cloud/store/reply-content.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { encodeOracle } from "../../support/cbor-oracle.ts";

describe("a reply at rest", () => {
  it.each([
    [1, 0],
    [3, 23],
    [3, 1_800_000_000_000],
    [3, Number.MAX_SAFE_INTEGER],
  ])("status %i with the number %i comes back", (status, detail) => {
    const content = writeReplyContent({ status, detail });
    // The oracle writes large numbers as floats unless they are BigInts.
    expect(content).toBe(encodeOracle([status, detail > 23 ? BigInt(detail) : detail]));
    expect(readReplyContent(content)).toEqual({ status, detail });
  });

  it("comes back with a request in it", () => {
    const reply = { status: 6, detail: "r".repeat(256) as Bytes };
    expect(readReplyContent(writeReplyContent(reply))).toEqual(reply);
  });

  it("is refused when it is anything else", () => {
    const content = writeReplyContent({ status: 1, detail: 0 });
    const wrong = [`${content}\0`, content.slice(0, -1), "", "\x83\x01\x00\x00", "\x82\x01\x61a"];
    for (const bytes of wrong)
      expect(() => readReplyContent(bytes as Bytes), JSON.stringify(bytes)).toThrow();
  });
});
