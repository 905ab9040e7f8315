/** Parts of the project's documents, for tests that do what they say. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..", "..");

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
