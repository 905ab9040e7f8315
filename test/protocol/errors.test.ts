import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type CoseflowError, fail } from "../../protocol/errors.ts";
import { ERROR_CODES } from "../support/refusal.ts";

describe("fail", () => {
  it.each(ERROR_CODES)("throws an Error with the code %s and the message", (code) => {
    try {
      fail(code, "thing, expected this, got that");
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
      expect((error as CoseflowError).code).toBe(code);
      expect((error as CoseflowError).message).toBe("thing, expected this, got that");
      return;
    }
    expect.unreachable();
  });

  it("has no code that the tests do not know", () => {
    const source = readFileSync(new URL("../../protocol/errors.ts", import.meta.url), "utf8");
    const codes = Array.from(source.matchAll(/^ {2}\| "([a-z]+)"/gm), (match) => match[1]);
    expect(codes.sort()).toEqual([...ERROR_CODES].sort());
  });
});
