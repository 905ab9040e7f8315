/** Walks of the ESTree that rollup's parseAst makes. A node is a plain object with a `type`. */

export const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];

export const LOOPS = ["ForStatement", "ForInStatement", "ForOfStatement"];

const isNode = (value) => value !== null && typeof value === "object" && "type" in value;

/** The child nodes in source order; holes of arrays are left out. */
export function children(node) {
  const found = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) found.push(...value.filter(isNode));
    else if (isNode(value)) found.push(value);
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Calls `visit(node, ancestors)` for every node, parents first; the last ancestor is the parent. */
export function walk(node, visit, ancestors = []) {
  visit(node, ancestors);
  const inner = [...ancestors, node];
  for (const child of children(node)) walk(child, visit, inner);
}

/** True where an Identifier only names a property, a label or a part of the syntax. */
export function isPropertyName(node, parent) {
  if (parent === undefined) return false;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  if (["Property", "MethodDefinition", "PropertyDefinition"].includes(parent.type)) {
    return parent.key === node && parent.value !== node && !parent.computed;
  }
  return ["LabeledStatement", "BreakStatement", "ContinueStatement", "MetaProperty"].includes(
    parent.type,
  );
}

/** The name of a property access or key where it is written out, else undefined. */
export function memberName(node) {
  if (node.type !== "MemberExpression") return undefined;
  if (!node.computed) return node.property.name;
  return node.property.type === "Literal" ? String(node.property.value) : undefined;
}

/** True for a node that is one of the global's members, such as `Math.random`. */
export function isMemberOf(node, object, name) {
  return (
    node.type === "MemberExpression" &&
    node.object.type === "Identifier" &&
    node.object.name === object &&
    memberName(node) === name
  );
}
