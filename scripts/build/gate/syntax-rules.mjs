import { regexpFault } from "./regexp.mjs";
import { RESERVED_WORDS } from "./surface.mjs";
import { FUNCTIONS } from "./tree.mjs";

const LOGICAL_ASSIGNMENTS = ["??=", "||=", "&&="];
const CLASS_MEMBERS = ["MethodDefinition", "PropertyDefinition"];

/** A rule that refuses every node of the given types. */
const never = (rule, why, types) => ({ rule, why, types, refuses: () => true });

/**
 * Rules on single nodes: `refuses(node, ancestors, facts)` is asked for nodes of the given
 * types. Where the reason differs from hit to hit, it answers with the reason.
 */
export const syntaxRules = [
  never("module-syntax", "the bundle is a script", [
    "ImportDeclaration",
    "ImportExpression",
    "ExportNamedDeclaration",
    "ExportDefaultDeclaration",
    "ExportAllDeclaration",
  ]),
  {
    rule: "default-parameter",
    why: "default parameters are a syntax error",
    types: FUNCTIONS,
    refuses: ({ params }) => params.some(({ type }) => type === "AssignmentPattern"),
  },
  {
    rule: "rest-parameter",
    why: "rest parameters are a syntax error",
    types: FUNCTIONS,
    refuses: ({ params }) => params.some(({ type }) => type === "RestElement"),
  },
  never("spread", "spread is a syntax error", ["SpreadElement"]),
  never("destructuring", "destructuring is a syntax error", ["ObjectPattern", "ArrayPattern"]),
  {
    rule: "computed-key",
    why: "computed keys are a syntax error",
    types: ["Property", ...CLASS_MEMBERS],
    refuses: ({ computed }) => computed,
  },
  {
    rule: "async",
    why: "there are no async functions",
    types: [...FUNCTIONS, "AwaitExpression", "ForOfStatement"],
    refuses: (node) =>
      node.type === "AwaitExpression" || node.async === true || node.await === true,
  },
  {
    rule: "generator",
    why: "there are no generators",
    types: FUNCTIONS,
    refuses: ({ generator }) => generator === true,
  },
  never("optional-chaining", "`?.` is a syntax error", ["ChainExpression"]),
  {
    rule: "exponent",
    why: "`**` is a syntax error",
    types: ["BinaryExpression", "AssignmentExpression"],
    refuses: ({ operator }) => operator === "**" || operator === "**=",
  },
  {
    rule: "logical-assignment",
    why: "logical assignment is a syntax error",
    types: ["AssignmentExpression"],
    refuses: ({ operator }) => LOGICAL_ASSIGNMENTS.includes(operator),
  },
  {
    rule: "bigint",
    why: "there is no BigInt",
    types: ["Literal"],
    refuses: ({ bigint }) => bigint !== undefined && bigint !== null,
  },
  never("label", "labels are a syntax error", ["LabeledStatement"]),
  never("meta-property", "new.target and import.meta do not exist", ["MetaProperty"]),
  never("private-name", "#private names are a syntax error", ["PrivateIdentifier"]),
  {
    rule: "field-initialiser",
    why: "a field needs an initialiser, and only a constant one works",
    types: ["PropertyDefinition"],
    refuses: ({ value }) => !isConstant(value),
  },
  never("static-block", "there are no static blocks", ["StaticBlock"]),
  {
    rule: "inheritance",
    why: "class inheritance recurses or throws; compose instead",
    types: ["ClassDeclaration", "ClassExpression", "Super"],
    refuses: ({ type, superClass }) => type === "Super" || superClass !== null,
  },
  {
    rule: "named-class-expression",
    why: "the name is not visible inside the class",
    types: ["ClassExpression"],
    refuses: ({ id }) => id !== null,
  },
  {
    rule: "class-member-name",
    why: "a class member's name is a plain identifier and no reserved word",
    types: CLASS_MEMBERS,
    refuses: ({ computed, key }) =>
      !computed && (key.type === "Literal" || RESERVED_WORDS.has(key.name)),
  },
  {
    rule: "proto-key",
    why: "`__proto__` in an object literal is an ordinary key (import no namespaces)",
    types: ["Property"],
    refuses: ({ key }) => key.name === "__proto__" || key.value === "__proto__",
  },
  never("tagged-template", "tagged templates are a syntax error", ["TaggedTemplateExpression"]),
  {
    rule: "regexp",
    types: ["Literal"],
    refuses: ({ regex }) => Boolean(regex) && regexpFault(regex),
  },
  {
    rule: "code-point-escape",
    why: "\\u{..} is not understood",
    types: ["Literal", "TemplateElement"],
    refuses: (node) => /(?<!\\)(?:\\\\)*\\u\{/.test(rawText(node)),
  },
  {
    rule: "octal",
    why: "octal escapes are read differently, and numbers with a leading 0 too",
    types: ["Literal"],
    refuses({ value, raw }) {
      if (typeof value === "number") return /^0\d/.test(raw);
      return typeof value === "string" && /(?<!\\)(?:\\\\)*\\(?:[1-9]|0\d)/.test(raw);
    },
  },
  {
    rule: "array-hole",
    why: "holes in an array literal fail in code that is skipped",
    types: ["ArrayExpression"],
    refuses: ({ elements }) => elements.includes(null),
  },
  {
    rule: "negative-index",
    why: "reading a typed array at a negative index throws",
    types: ["MemberExpression"],
    refuses: ({ computed, property }) =>
      computed && property.operator === "-" && property.argument?.type === "Literal",
  },
  {
    rule: "sequence-index",
    why: "a[i,j] is a syntax error",
    types: ["MemberExpression"],
    refuses: ({ computed, property }) => computed && property.type === "SequenceExpression",
  },
  {
    rule: "variable-of",
    why: "`of` is a reserved word",
    types: ["Identifier"],
    refuses: ({ name }, _ancestors, { isName }) => name === "of" && isName,
  },
];

function isConstant(node) {
  if (node?.type === "UnaryExpression") return isConstant(node.argument);
  return node?.type === "Literal";
}

const rawText = ({ type, raw, value }) => (type === "Literal" ? (raw ?? "") : value.raw);
