import { FUNCTIONS, LOOPS, walk } from "./tree.mjs";

const JUMPS = ["ReturnStatement", "ThrowStatement", "BreakStatement", "ContinueStatement"];
const ENDED_BY_SEMICOLON = [
  "ExpressionStatement",
  "VariableDeclaration",
  "DoWhileStatement",
  ...JUMPS,
];

/** Rules on statements and where they stand. Same shape as the syntax rules. */
export const statementRules = [
  {
    rule: "default-not-last",
    why: "`default:` has to be the last case",
    types: ["SwitchStatement"],
    refuses: ({ cases }) => cases.slice(0, -1).some(({ test }) => test === null),
  },
  {
    rule: "declaration-in-case",
    why: "a case that is skipped leaves the name undefined for the next; use braces",
    types: ["SwitchCase"],
    refuses: ({ consequent }) => consequent.some(({ type }) => type.endsWith("Declaration")),
  },
  {
    rule: "for-initialiser",
    why: "a for head may not start with a function, class or object",
    types: ["ForStatement"],
    refuses: ({ init }, _ancestors, { code }) =>
      init !== null && /^(?:function|class)\b|^\{/.test(code.slice(init.start)),
  },
  {
    rule: "do-without-braces",
    why: "the body of do-while needs braces",
    types: ["DoWhileStatement"],
    refuses: ({ body }) => body.type !== "BlockStatement",
  },
  {
    rule: "missing-semicolon",
    why: "Espruino reads on over a line break where JavaScript ends the statement",
    types: ENDED_BY_SEMICOLON,
    refuses(node, ancestors, { code }) {
      const parent = ancestors.at(-1);
      if (LOOPS.includes(parent.type) && parent.body !== node) return false;
      return code[node.end - 1] !== ";" && /^\s*[^\s}]/.test(code.slice(node.end));
    },
  },
  {
    rule: "return-before-brace",
    why: "Espruino takes a bare `return` without braces for unfinished where its function ends",
    types: ["ReturnStatement"],
    refuses: ({ argument, end }, ancestors, { code }) =>
      argument === null &&
      ancestors.at(-1).type !== "BlockStatement" &&
      code[end - 1] !== ";" &&
      /^\s*\}/.test(code.slice(end)),
  },
  {
    rule: "nested-var",
    why: "a var in a branch not taken does not exist; an outer variable answers instead",
    types: ["VariableDeclaration"],
    refuses: ({ kind }, ancestors) => kind === "var" && !atFunctionTop(ancestors),
  },
  {
    rule: "nested-function",
    why: "a declaration in a block replaces the function's own name of the same spelling",
    types: ["FunctionDeclaration", "ClassDeclaration"],
    refuses: (_node, ancestors) => !atFunctionTop(ancestors),
  },
  {
    rule: "unreachable",
    why: "what stands after a jump is never defined",
    types: ["Program", "BlockStatement", "SwitchCase"],
    refuses({ body, consequent }) {
      const statements = body ?? consequent;
      return statements.slice(0, -1).some(({ type }) => JUMPS.includes(type));
    },
  },
  {
    rule: "delete-in-for-in",
    why: "deleting a key ends the loop",
    types: ["ForInStatement"],
    refuses({ body }) {
      let found = false;
      walk(body, ({ operator }) => {
        found ||= operator === "delete";
      });
      return found;
    },
  },
];

/** Directly in a function's body, or in the head of a for statement that is. */
function atFunctionTop(ancestors) {
  const isHead = LOOPS.includes(ancestors.at(-1).type);
  const block = ancestors.at(isHead ? -2 : -1);
  if (block.type === "Program") return true;
  const owner = ancestors.at(isHead ? -3 : -2);
  return block.type === "BlockStatement" && FUNCTIONS.includes(owner?.type);
}
