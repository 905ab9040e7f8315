import { parseAst } from "rollup/parseAst";
import { nameRules } from "./gate/name-rules.mjs";
import { scopeRules } from "./gate/scope-rules.mjs";
import { analyse } from "./gate/scopes.mjs";
import { statementRules } from "./gate/statement-rules.mjs";
import { syntaxRules } from "./gate/syntax-rules.mjs";
import { isPropertyName, walk } from "./gate/tree.mjs";

const nodeRules = [...syntaxRules, ...statementRules, ...nameRules];

/** Names of all rules, those on the text as a whole included. */
export const RULES = ["non-ascii", "syntax", ...[...nodeRules, ...scopeRules].map((r) => r.rule)];

/**
 * Everything in a bundle's final text that Espruino cannot run or runs differently:
 * a list of { rule, why, line, column, excerpt }, in source order. Espruino parses
 * a function body when it is first run, so nothing but a look at the whole tree finds
 * all of it before the device does.
 */
export function gate(code) {
  const hits = [];
  const report = (rule, why, offset) => hits.push(hitAt(code, offset, rule, why));
  for (const { index } of code.matchAll(/[^\t\n\r\x20-\x7e]+/g)) {
    report("non-ascii", "source is bytes there, one character each", index);
  }
  const program = parse(code, report);
  if (program !== undefined) {
    applyNodeRules(program, code, report);
    const analysis = analyse(program);
    for (const { rule, why, find } of scopeRules) {
      for (const node of find(analysis)) report(rule, why, node.start);
    }
  }
  return hits.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** One line a hit: where, which rule, the text, why. */
export function formatHits(name, hits) {
  return hits
    .map(({ rule, why, line, column, excerpt }) => {
      return `${name}:${line}:${column}: ${rule}: ${excerpt} (${why})`;
    })
    .join("\n");
}

/** What does not parse as a module is a hit of its own and has no tree. */
function parse(code, report) {
  try {
    return parseAst(code);
  } catch (error) {
    report("syntax", error.message, error.pos ?? 0);
    return undefined;
  }
}

function applyNodeRules(program, code, report) {
  const facts = { code, ownKeys: collectOwnKeys(program), isName: false };
  walk(program, (node, ancestors) => {
    facts.isName = !isPropertyName(node, ancestors.at(-1));
    for (const { rule, why, types, refuses } of nodeRules) {
      const refused = types.includes(node.type) && refuses(node, ancestors, facts);
      if (refused) report(rule, refused === true ? why : refused, node.start);
    }
  });
}

/** Names of members that the bundle itself defines. */
function collectOwnKeys(program) {
  const keys = new Set();
  walk(program, ({ type, key }) => {
    if (type === "Property" || type === "MethodDefinition") keys.add(key.name ?? key.value);
  });
  return keys;
}

function hitAt(code, offset, rule, why) {
  const before = code.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  const excerpt = code.slice(offset, offset + 40).replace(/\s+/g, " ");
  return { rule, why, line, column, excerpt };
}
