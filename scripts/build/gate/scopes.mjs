import { children, FUNCTIONS, isPropertyName, LOOPS } from "./tree.mjs";

/**
 * Scopes, variables and references of a program. Espruino hoists nothing, so every
 * variable carries the offset from which it exists (`from`) and every reference the
 * function that runs it (`owner`).
 *
 * A scope: { node, parent, owner, variables }; the owner is the scope of the nearest function.
 * A variable: { name, kind, from, owner, value }; value is the function it is declared as, if any.
 * A reference: { name, node, owner, variable }; variable is undefined for a global.
 */
export function analyse(program) {
  const found = { references: [], calls: [] };
  visit(program, undefined, openScope(program, undefined, true), found);
  for (const reference of found.references) {
    reference.variable = resolve(reference.scope, reference.name);
  }
  return found;
}

function openScope(node, parent, isFunction) {
  const scope = { node, parent, variables: new Map() };
  scope.owner = isFunction ? scope : parent.owner;
  return scope;
}

function resolve(scope, name) {
  for (let at = scope; at !== undefined; at = at.parent) {
    const variable = at.variables.get(name);
    if (variable !== undefined) return variable;
  }
  return undefined;
}

function declare(scope, name, kind, from, value) {
  if (scope.variables.has(name)) return;
  scope.variables.set(name, { name, kind, from, owner: scope.owner, value });
}

/** The names a pattern binds. (Other rules refuse every pattern but a plain name.) */
function boundNames(pattern) {
  if (pattern === null) return [];
  if (pattern.type === "Identifier") return [pattern.name];
  const parts = pattern.elements ??
    pattern.properties ?? [pattern.left ?? pattern.argument ?? pattern.value];
  return parts.flatMap(boundNames);
}

const visitors = {
  FunctionDeclaration(node, _parent, scope, found) {
    if (node.id) declare(scope, node.id.name, "function", node.start, node);
    visitFunction(node, scope, found);
  },
  FunctionExpression(node, _parent, scope, found) {
    const named = openScope(node, scope, false);
    if (node.id) declare(named, node.id.name, "function", -1, node);
    visitFunction(node, named, found);
  },
  ArrowFunctionExpression(node, _parent, scope, found) {
    visitFunction(node, scope, found);
  },
  ClassDeclaration(node, _parent, scope, found) {
    declare(scope, node.id.name, "class", node.start);
    for (const part of [node.superClass, node.body]) if (part) visit(part, node, scope, found);
  },
  ImportDeclaration({ specifiers }, _parent, scope) {
    for (const { local } of specifiers) declare(scope, local.name, "import", -1);
  },
  CatchClause(node, _parent, scope, found) {
    const inner = openScope(node, scope, false);
    for (const name of boundNames(node.param)) declare(inner, name, "parameter", -1);
    visit(node.body, node, inner, found);
  },
  VariableDeclaration(node, parent, scope, found) {
    const inLoopHead = LOOPS.includes(parent.type) && parent.body !== node;
    const target = node.kind === "var" ? scope.owner : scope;
    for (const { id, init, end } of node.declarations) {
      if (init) visit(init, node, scope, found);
      const value = init && FUNCTIONS.includes(init.type) ? init : undefined;
      const kind = inLoopHead ? "loop" : node.kind;
      for (const name of boundNames(id)) declare(target, name, kind, end, value);
    }
  },
  Identifier(node, parent, scope, found) {
    if (isPropertyName(node, parent)) return;
    found.references.push({ name: node.name, node, scope, owner: scope.owner });
  },
  CallExpression: visitCall,
  NewExpression: visitCall,
};

const OWN_SCOPE = ["BlockStatement", "SwitchStatement", ...LOOPS];

function visit(node, parent, scope, found) {
  const visitor = visitors[node.type];
  if (visitor !== undefined) return visitor(node, parent, scope, found);
  const inner = OWN_SCOPE.includes(node.type) ? openScope(node, scope, false) : scope;
  for (const child of children(node)) visit(child, node, inner, found);
}

/** Parameters and body share one scope, as on Espruino. */
function visitFunction(node, scope, found) {
  const inner = openScope(node, scope, true);
  for (const name of node.params.flatMap(boundNames)) declare(inner, name, "parameter", -1);
  if (node.body.type !== "BlockStatement") return visit(node.body, node, inner, found);
  for (const child of node.body.body) visit(child, node.body, inner, found);
}

/** A call runs a function's body here and now: what that body uses must exist by now. */
function visitCall(node, _parent, scope, found) {
  found.calls.push({ node, scope, owner: scope.owner });
  for (const child of children(node)) visit(child, node, scope, found);
}

/** The function a call runs, where the text shows it: one written in place or a declared name. */
export function calledFunction(call) {
  const { callee } = call.node;
  if (FUNCTIONS.includes(callee.type)) return callee;
  if (callee.type !== "Identifier") return undefined;
  return resolve(call.scope, callee.name)?.value;
}
