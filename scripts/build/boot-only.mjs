import { parseAst } from "rollup/parseAst";
import { analyse } from "./gate/scopes.mjs";
import { FUNCTIONS, memberName, walk } from "./gate/tree.mjs";

/** Methods of a list that call what they are given at once and keep nothing of it. */
const AT_ONCE = ["every", "filter", "forEach", "map", "some"];

/**
 * The script, and at its end the deletion of each top-level function that nothing can call
 * once the script has run: it would keep five variables or more of a device's 4,095. The
 * rest of the text stays as it is. (Node keeps such a function and goes on.)
 */
export function forgetBootOnly(code) {
  const names = findBootOnly(parseAst(code));
  return code + names.map((name) => `\ndelete ${name};`).join("");
}

/**
 * Top-level functions that are only ever called, and only by the script itself or from the
 * body of another such function, the steps of a list in it included. Any other function
 * inside one may outlive it, so what that calls, or what is handed on as a value, stays.
 */
function findBootOnly(program) {
  const callees = new Set();
  const steps = new Set();
  walk(program, ({ type, callee, arguments: given }) => {
    if (type !== "CallExpression") return;
    callees.add(callee);
    const isStep = AT_ONCE.includes(memberName(callee)) && FUNCTIONS.includes(given[0]?.type);
    if (isStep) steps.add(given[0]);
  });
  const callerOf = ({ node, parent }) => (steps.has(node) ? callerOf(parent.owner) : node);
  const uses = new Map(
    program.body
      .filter(({ type }) => type === "FunctionDeclaration")
      .map((declaration) => [declaration, []]),
  );
  for (const { node, owner, variable } of analyse(program).references) {
    uses.get(variable?.value)?.push({ isCall: callees.has(node), caller: callerOf(owner) });
  }
  const isBoot = ({ isCall, caller }) => isCall && (caller === program || uses.has(caller));
  for (let size = Number.POSITIVE_INFINITY; uses.size < size; ) {
    size = uses.size;
    for (const [declaration, found] of uses) if (!found.every(isBoot)) uses.delete(declaration);
  }
  return [...uses.keys()].map(({ id }) => id.name);
}
