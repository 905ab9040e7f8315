import { calledFunction } from "./scopes.mjs";
import { GLOBALS, pinNames } from "./surface.mjs";

const KNOWN_GLOBALS = new Set([...GLOBALS, ...pinNames()]);

/** Rules on names. `find(analysis)` gives the nodes that break the rule. */
export const scopeRules = [
  {
    rule: "use-before-definition",
    why: "Espruino hoists nothing; the name means an outer variable or nothing",
    find: (analysis) => [...usedEarly(analysis), ...calledEarly(analysis)],
  },
  {
    rule: "loop-closure",
    why: "all rounds of a loop share one loop variable",
    find: ({ references }) =>
      nodes(references, ({ variable, owner }) => {
        return variable?.kind === "loop" && variable.owner !== owner;
      }),
  },
  {
    rule: "arrow-arguments",
    why: "`arguments` is empty in an arrow function",
    find: ({ references }) =>
      nodes(references, ({ name, owner }) => {
        return name === "arguments" && owner.node.type === "ArrowFunctionExpression";
      }),
  },
  {
    rule: "unknown-global",
    why: "Espruino has no such global, or it runs what no gate can see",
    find: ({ references }) =>
      nodes(references, ({ name, variable }) => {
        return variable === undefined && !KNOWN_GLOBALS.has(name);
      }),
  },
];

const nodes = (references, test) => references.filter(test).map((reference) => reference.node);

function usedEarly({ references }) {
  return nodes(references, ({ node, owner, variable }) => {
    return variable !== undefined && variable.owner === owner && node.start < variable.from;
  });
}

/** Calls that run, directly or through further calls, a body whose names do not exist yet. */
function calledEarly(analysis) {
  const bodies = groupByOwner(analysis);
  return analysis.calls.filter((call) => runsEarly(call, call, bodies, [])).map(({ node }) => node);
}

function groupByOwner({ references, calls }) {
  const bodies = new Map();
  const bodyOf = (owner) => {
    if (!bodies.has(owner.node)) bodies.set(owner.node, { references: [], calls: [] });
    return bodies.get(owner.node);
  };
  for (const reference of references) bodyOf(reference.owner).references.push(reference);
  for (const call of calls) bodyOf(call.owner).calls.push(call);
  return bodies;
}

function runsEarly(first, call, bodies, seen) {
  const target = calledFunction(call);
  if (target === undefined || seen.includes(target)) return false;
  const body = bodies.get(target);
  if (body === undefined) return false;
  seen.push(target);
  return (
    body.references.some(({ variable }) => {
      return variable?.owner === first.owner && first.node.start < variable.from;
    }) || body.calls.some((inner) => runsEarly(first, inner, bodies, seen))
  );
}
