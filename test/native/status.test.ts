import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

function read(name: string): string {
  return readFileSync(new URL(`../../native/core/${name}`, import.meta.url), "utf8");
}

const statuses = [...read("dc_error.h").matchAll(/^#define (DC_ERR_\w+)/gm)].map(
  (match) => match[1],
);
const rows = [
  ...read("dc_status.h").matchAll(
    /\{(DC_ERR_\w+), "([a-z]+)",\s*"(.+?)",\s*(?:NULL|"[a-z-]+")\}/gs,
  ),
];

it("gives every status of the C module its row", () => {
  expect(statuses.length).toBeGreaterThan(20);
  expect(rows.map((row) => row[1])).toEqual(statuses);
});

it("says thing, expected and got, and names what it got", () => {
  for (const [, status, , literals = ""] of rows) {
    const sentence = literals.replaceAll(/"\s+"/g, "");
    expect([status, sentence]).toEqual([
      status,
      expect.stringMatching(/^.+, expected .+, got .+$/),
    ]);
    expect([status, sentence]).not.toEqual([status, expect.stringMatching(/got (n?either|it)$/)]);
  }
});
