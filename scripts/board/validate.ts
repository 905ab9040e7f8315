import { basename } from "node:path";
import { checkTogether } from "./cross.ts";
import { type Fault, formatFaults } from "./fault.ts";
import { createMemoryEstimate } from "./memory.ts";
import { readText } from "./read-file.ts";
import { BUILD_PROPERTIES } from "./schema.ts";
import { findSecrets } from "./secrets.ts";
import { createShapeCheck } from "./shape.ts";
import { readSource } from "./source.ts";

/** Gives every fault of a board file at once, in the order of the text; it never throws for what is in it. */
export function createValidator(): (text: string, fileName: string) => Fault[] {
  const checkShape = createShapeCheck();
  const estimate = createMemoryEstimate();
  return function validate(text, fileName) {
    const source = readSource(text);
    if (source.faults.length > 0) return source.faults;
    return [
      ...findSecrets(source),
      ...checkShape(source),
      ...checkTogether(source, fileName, estimate),
    ].sort((a, b) => a.line - b.line || a.column - b.column);
  };
}

/** The faults of a board file that was to be built, a line each. */
export class BoardFaults extends Error {
  readonly lines: string[];

  constructor(lines: string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** For the build: the board as the firmware is given it. Throws with all faults of a wrong file. */
export function createBoardReader(): (file: string) => object {
  const validate = createValidator();
  return function readBoard(file) {
    const text = readText(file);
    const faults = validate(text, basename(file, ".json"));
    if (faults.length > 0) throw new BoardFaults(formatFaults(file, faults));
    const ours = Object.entries(JSON.parse(text)).filter(
      ([name]) => !Object.hasOwn(BUILD_PROPERTIES, name),
    );
    return Object.fromEntries(ours);
  };
}
