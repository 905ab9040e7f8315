import { parseAst } from "rollup/parseAst";
import { analyse } from "./gate/scopes.mjs";
import { isPropertyName, walk } from "./gate/tree.mjs";

/** A constant by its name; rollup adds the number where two modules use the same one. */
const NAME = /^[A-Z][A-Z0-9_]*(?:\$[0-9]+)?$/;

/** Where a name stands to be written, not read. */
const WRITES = [
  "ArrayPattern",
  "AssignmentPattern",
  "ForInStatement",
  "ForOfStatement",
  "RestElement",
  "UpdateExpression",
];

/**
 * The script with the values of its top-level constants where their names were, and
 * without their declarations: each would cost two of a device's 4,095 variables. A
 * constant is `const NAME = ` and a number, or a string, of several parts perhaps, that is
 * used no more than once.
 * Its name must stand for nothing else anywhere in the script; all other text stays
 * as it is.
 */
export function inlineConstants(code) {
  const program = parseAst(code);
  const names = findNames(program);
  const references = new Set(analyse(program).references.map(({ node }) => node));
  const edits = program.body.filter(isConstant).flatMap((declaration) => {
    const [{ id, init }] = declaration.declarations;
    const uses = names.get(id.name).filter(({ node }) => node !== id);
    if (isText(init) && uses.length > 1) return [];
    if (!uses.every((use) => isRead(use) && references.has(use.node))) return [];
    // In brackets: the value may stand before a dot or behind a minus.
    const value = `(${code.slice(init.start, init.end)})`;
    const reads = uses.map(({ node }) => ({ start: node.start, end: node.end, text: value }));
    return [{ start: declaration.start, end: declaration.end, text: "" }, ...reads];
  });
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), code);
}

/** Every place where a name is a variable's, by name: { node, parent }. */
function findNames(program) {
  const names = new Map();
  walk(program, (node, ancestors) => {
    const parent = ancestors.at(-1);
    if (node.type !== "Identifier" || isPropertyName(node, parent)) return;
    names.set(node.name, [...(names.get(node.name) ?? []), { node, parent }]);
  });
  return names;
}

function isConstant({ type, kind, declarations }) {
  if (type !== "VariableDeclaration" || kind !== "const" || declarations.length !== 1) return false;
  const [{ id, init }] = declarations;
  return id.type === "Identifier" && NAME.test(id.name) && (isNumber(init) || isText(init));
}

/** A string, or several that are put together where they stand. */
function isText({ type, value, operator, left, right }) {
  if (type === "BinaryExpression") return operator === "+" && isText(left) && isText(right);
  return type === "Literal" && typeof value === "string";
}

function isNumber({ type, value, operator, argument }) {
  if (type === "UnaryExpression") return operator === "-" && isNumber(argument);
  return type === "Literal" && typeof value === "number";
}

/** A binding of the same name is no reference, and so no read; the rest is told by the parent. */
function isRead({ node, parent }) {
  if (parent.type === "AssignmentExpression") return parent.left !== node;
  return !parent.shorthand && !WRITES.includes(parent.type);
}
