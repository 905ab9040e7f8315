import {
  createScanner,
  findNodeAtLocation,
  type JSONPath,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import type { Fault } from "./fault.ts";
import { MAX_BYTES, MAX_DEPTH } from "./limits.ts";

/** What stands for bytes that are none; no board file has that sign itself. */
const NOT_UTF8 = "\ufffd";
const BYTE_ORDER_MARK = "\ufeff";

/** jsonc-parser's numbers of the brackets. */
const OPEN = [1, 3];
const CLOSE = [2, 4];
const END = 17;

/** A board file as text and tree, which knows where everything stands. */
export interface Source {
  /** Undefined where `faults` says why. */
  tree: Node | undefined;
  value: unknown;
  /** Of the text itself: the shape of what it says is judged elsewhere. */
  faults: Fault[];
  /** A fault at a value, or at the key of a property where `key` is given. */
  at(path: JSONPath, what: Omit<Fault, "line" | "column" | "pointer">, key?: string): Fault;
}

export function pointerOf(path: JSONPath): string {
  return path.map((part) => `/${`${part}`.replace(/~/g, "~0").replace(/\//g, "~1")}`).join("");
}

function depthOf(text: string): number {
  const scanner = createScanner(text, true);
  let depth = 0;
  let most = 0;
  for (let token: number = scanner.scan(); token !== END; token = scanner.scan()) {
    if (OPEN.includes(token)) depth++;
    if (CLOSE.includes(token)) depth--;
    most = Math.max(most, depth);
  }
  return most;
}

/** Names that an object has twice, of which JSON.parse silently takes the last. */
function repeated(node: Node): Node[] {
  const own = node.type === "object" ? (node.children ?? []) : [];
  const seen = new Set<unknown>();
  const twice = own.flatMap(({ children }) => {
    const [key] = children ?? [];
    if (key === undefined || !seen.has(key.value)) {
      seen.add(key?.value);
      return [];
    }
    return [key];
  });
  return [...twice, ...(node.children ?? []).flatMap(repeated)];
}

/** Line and column of an offset. What is no JSON has thousands of faults: the lines are looked up. */
function createPlaces(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1))
    starts.push(end + 1);
  return function place(offset) {
    let line = 0;
    for (let next = starts.length; next - line > 1; ) {
      const middle = (line + next) >> 1;
      if ((starts[middle] as number) <= offset) line = middle;
      else next = middle;
    }
    return { line: line + 1, column: offset - (starts[line] as number) + 1 };
  };
}

export function readSource(text: string): Source {
  const place = createPlaces(text);
  const whole = (offset: number, expected: string, got: string): Fault => {
    return { ...place(offset), pointer: "", expected, got };
  };
  const refused = (fault: Fault): Source => {
    return {
      tree: undefined,
      value: undefined,
      faults: [fault],
      at: (_, what) => ({ ...fault, ...what }),
    };
  };
  const strange = text.indexOf(NOT_UTF8);
  if (strange >= 0) return refused(whole(strange, "UTF-8", "other bytes"));
  if (text.startsWith(BYTE_ORDER_MARK))
    return refused(whole(0, "JSON", "a byte order mark before it"));
  if (text.length > MAX_BYTES)
    return refused(whole(0, `at most ${MAX_BYTES} characters`, `${text.length}`));
  const depth = depthOf(text);
  if (depth > MAX_DEPTH) return refused(whole(0, `at most ${MAX_DEPTH} levels`, `${depth}`));

  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const faults = errors.map(({ error, offset }) =>
    whole(
      offset,
      "JSON",
      printParseErrorCode(error)
        .replace(/([a-z])([A-Z])/g, "$1 $2")
        .toLowerCase(),
    ),
  );
  // Not the tree's own value: a name like "__proto__" is a property to JSON.parse only.
  let value: unknown;
  if (faults.length === 0) {
    try {
      value = JSON.parse(text);
    } catch {
      faults.push(whole(0, "JSON", "what only resembles it"));
    }
  }
  for (const key of tree === undefined ? [] : repeated(tree))
    faults.push(whole(key.offset, "each name once", `"${key.value}" again`));

  return {
    tree,
    value,
    faults,
    at(path, what, key) {
      const inner = tree && findNodeAtLocation(tree, key === undefined ? path : [...path, key]);
      const node = inner ?? (tree && findNodeAtLocation(tree, path)) ?? tree;
      const named = key !== undefined && inner?.parent?.type === "property" ? inner.parent : node;
      const full = key === undefined ? path : [...path, key];
      return { ...place(named?.offset ?? 0), pointer: pointerOf(full), ...what };
    },
  };
}
