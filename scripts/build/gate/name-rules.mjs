import { GLOBALS, MISSING_METHODS, STATIC_MEMBERS } from "./surface.mjs";
import { isMemberOf, memberName } from "./tree.mjs";

/** Rules on members and calls of what Espruino has, lacks or does differently. */
export const nameRules = [
  {
    rule: "missing-member",
    why: "Espruino's built-in object has no such member",
    types: ["MemberExpression"],
    refuses(node) {
      const known = globalMembers(node.object);
      const name = memberName(node);
      return known !== undefined && name !== "prototype" && !known.includes(name);
    },
  },
  {
    rule: "missing-method",
    why: "at least one of Espruino's types lacks this method",
    types: ["CallExpression"],
    refuses({ callee }, _ancestors, { ownKeys }) {
      const name = memberName(callee);
      if (name === undefined || !MISSING_METHODS.has(name)) return false;
      return globalMembers(callee.object) === undefined && !ownKeys.has(name);
    },
  },
  {
    rule: "prototype-method",
    why: "Array.prototype.slice and its like are missing as values; take it from an instance",
    types: ["MemberExpression"],
    refuses({ object }) {
      return memberName(object) === "prototype" && isGlobal(object.object);
    },
  },
  {
    rule: "object-create-properties",
    why: "Object.create with properties throws",
    types: ["CallExpression"],
    refuses: ({ callee, arguments: given }) =>
      isMemberOf(callee, "Object", "create") && given.length > 1,
  },
  {
    rule: "property-flags",
    why: "`enumerable` is ignored and `writable` throws",
    types: ["CallExpression"],
    refuses({ callee, arguments: given }) {
      if (!isMemberOf(callee, "Object", "defineProperty")) return false;
      return (given[2]?.properties ?? []).some(({ key }) => {
        return key?.name === "enumerable" || key?.name === "writable";
      });
    },
  },
  {
    rule: "error-cause",
    why: "an Error takes a message only",
    types: ["NewExpression", "CallExpression"],
    refuses: ({ callee, arguments: given }) =>
      ["Error", "TypeError"].includes(callee.name) && given.length > 1,
  },
  {
    rule: "clear-all-timers",
    why: "without an id every timer is stopped, and undefined throws",
    types: ["CallExpression"],
    refuses({ callee, arguments: given }) {
      if (!["clearTimeout", "clearInterval", "clearWatch"].includes(callee.name)) return false;
      return given.length === 0 || isUndefined(given[0]);
    },
  },
  {
    rule: "constant-random",
    why: "every board draws the same numbers; random bytes come from the C module",
    types: ["MemberExpression"],
    refuses: (node) =>
      isMemberOf(node, "Math", "random") ||
      isMemberOf(node, "Math", "randInt") ||
      isMemberOf(node, "E", "hwRand") ||
      isMemberOf(node, "E", "srand"),
  },
  {
    rule: "inexact-power",
    why: "Math.pow is exact for whole exponents from 0 to 9 only; write the number out",
    types: ["CallExpression"],
    refuses({ callee, arguments: given }) {
      const exponent = given[1]?.value;
      return isMemberOf(callee, "Math", "pow") && typeof exponent === "number" && exponent > 9;
    },
  },
  {
    rule: "cut-short-match",
    why: "a text that ends in the beginning of what is searched for counts as a match; compare what was found",
    types: ["CallExpression"],
    refuses({ callee, arguments: given }) {
      const isSearch = TEXT_SEARCHES.includes(memberName(callee));
      return isSearch && callee.object.type !== "ArrayExpression" && isLongText(given[0]);
    },
  },
  {
    rule: "length-assignment",
    why: "the length of an array cannot be set",
    types: ["AssignmentExpression"],
    refuses: ({ left }) => memberName(left) === "length",
  },
  {
    rule: "primitive-instanceof",
    why: "a primitive string is an instance of String there",
    types: ["BinaryExpression"],
    refuses: ({ operator, right }) =>
      operator === "instanceof" && ["String", "Number", "Boolean"].includes(right.name),
  },
];

/** Methods of texts that take a text; those that take a regular expression too are right with one. */
const TEXT_SEARCHES = ["indexOf", "includes", "match", "replace", "replaceAll"];

/** Of one character nothing can be cut off. What a variable holds is not known here. */
function isLongText(node) {
  if (node?.type === "TemplateLiteral") return true;
  if (node?.type === "BinaryExpression" && node.operator === "+")
    return [node.left, node.right].some((part) => isText(part) || isLongText(part));
  return isText(node) && node.value.length > 1;
}

const isText = (node) => node?.type === "Literal" && typeof node.value === "string";

const isGlobal = (node) => node.type === "Identifier" && GLOBALS.has(node.name);

const isUndefined = (node) => node.name === "undefined" || node.operator === "void";

function globalMembers(node) {
  const known = node.type === "Identifier" && Object.hasOwn(STATIC_MEMBERS, node.name);
  return known ? STATIC_MEMBERS[node.name] : undefined;
}
