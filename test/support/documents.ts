/** Parts of the project's documents, for tests that do what they say. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..", "..");

/** All that are written for people. */
export const DOCUMENTS = [
  "README.md",
  "SPEC.md",
  "DESIGN.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "boards/README.md",
  "docs/README.md",
  "docs/building.md",
  "docs/flashing.md",
  "native/README.md",
  "simulator/README.md",
  ...["boards", "sensors"].flatMap((folder) =>
    readdirSync(join(root, "docs", folder))
      .sort()
      .map((file) => `docs/${folder}/${file}`),
  ),
];

export const readDocument = (file: string) => readFileSync(join(root, file), "utf8");

/** A document's text from a heading to the next. */
export function section(text: string, heading: string): string {
  const [, found] = text.split(`\n## ${heading}\n`);
  if (found === undefined) throw new Error(`heading, expected "${heading}", got none`);
  return found.split("\n## ")[0] ?? "";
}

/** The blocks of code of a language. */
export function blocks(text: string, language: string): string[] {
  const found = text.matchAll(/^```(\w*)\n(.*?)^```$/gms);
  return [...found].flatMap(([, name, block]) => (name === language ? [block ?? ""] : []));
}

/** Why a block of commands is run by no test; the line above it says which. */
export const NOT_RUN = [
  "needs a board",
  "needs a person",
  "needs Espruino's source",
  "installs packages",
  "builds for minutes",
  "each line for itself",
];

export interface Commands {
  document: string;
  block: string;
  /** Undefined: a test runs it (test/system/readme-walk.test.ts, test/system/guides.test.ts). */
  notRun: string | undefined;
}

/** Every block of commands in the document, with the mark above it. */
export function commandBlocks(document: string): Commands[] {
  const found = readDocument(document).matchAll(
    /^(?:<!-- not run: ([^\n]*) -->\n)?```sh\n(.*?)^```$/gms,
  );
  return [...found].map(([, notRun, block = ""]) => ({ document, block, notRun }));
}
