import { parseAst } from "rollup/parseAst";
import { analyse } from "./gate/scopes.mjs";

/** Functions that run a few times in a device's life, and all that only they need. */
const RARE = ["runCommand"];

/**
 * The script with each rare function in a wrapper of its own, beside every top-level function
 * that nothing else can reach: they come to be when it is called and go when it returns.
 * At the top level each would keep five variables or more of a device's 4,095. The wrapper
 * has no other names, so what the moved text names stays what it was.
 */
export function gatherRare(code, rare = RARE) {
  return rare.reduce(gather, code);
}

function gather(code, name) {
  const program = parseAst(code);
  const functions = program.body.filter(({ type }) => type === "FunctionDeclaration");
  const root = functions.find(({ id }) => id.name === name);
  if (root === undefined) return code;
  const moved = findOwn(program, functions, root);
  const text = ({ start, end }) => code.slice(start, end);
  const inner = `${name}$inner`;
  const parameters = root.params.map((_, index) => `${name}$${index}`).join(", ");
  const body = code.slice(root.id.end, root.end);
  const wrapper = `function ${name}(${parameters}) {
${moved.map(text).join("\n")}
function ${inner}${body}
return ${inner}(${parameters});
}`;
  const edits = [...moved.map((node) => [node, ""]), [root, wrapper]];
  edits.sort(([a], [b]) => b.start - a.start);
  return edits.reduce(
    (rest, [{ start, end }, to]) => rest.slice(0, start) + to + rest.slice(end),
    code,
  );
}

/** What is used by the root and by functions that only it uses, in the order of the text. */
function findOwn(program, functions, root) {
  const holder = ({ start }) => functions.find((each) => each.start <= start && start < each.end);
  const users = new Map(functions.map((each) => [each, new Set()]));
  for (const { node, variable } of analyse(program).references) {
    const user = holder(node);
    if (user !== variable?.value) users.get(variable?.value)?.add(user);
  }
  const own = new Set(functions.filter((each) => each !== root && users.get(each).size > 0));
  for (let size = Number.POSITIVE_INFINITY; own.size < size; ) {
    size = own.size;
    for (const each of own)
      for (const user of users.get(each)) if (user !== root && !own.has(user)) own.delete(each);
  }
  return [...own];
}
