import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { md5 } from "../../../scripts/web/md5.ts";

const known = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

it("is Node's, around the ends of a block and for any bytes", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, at) => at * 7);
    expect(md5(bytes)).toBe(known(bytes));
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => md5(bytes) === known(bytes)),
  );
});

it("is Node's for the application of a chip", () => {
  const bytes = new Uint8Array(1_500_000).fill(0xe9);
  expect(md5(bytes)).toBe(known(bytes));
});
