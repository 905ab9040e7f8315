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

export function readSource(text: string): Source {
  const place = (offset: number) => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, column: (before.at(-1) as string).length + 1 };
  };
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
