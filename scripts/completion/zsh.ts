import { type CommandNode, everyCommand, PORTS, quote, type Values } from "./tree.ts";

function complete(values: Values): string {
  if (values === "files") return "_files";
  if (values === "directories") return "_files -/";
  if (values === "boards") return "compadd -- $boards_";
  if (values === "ports") return `compadd -- ${PORTS.map((port) => `${port}(N)`).join(" ")}`;
  return values.length === 0 ? ":" : `compadd -- ${values.map(quote).join(" ")}`;
}

/** Words with what they mean; a colon ends a word for _describe. */
function describe(what: string, entries: { word: string; description: string }[]): string {
  const words = entries.map(({ word, description }) => quote(`${word}:${description}`));
  return `words_=(${words.join(" ")}); _describe ${what} words_`;
}

function valueBranches({ path, options }: CommandNode): string[] {
  return options.flatMap(({ long, values }) =>
    values === undefined ? [] : [`    ${quote(`${path} ${long}`)}) ${complete(values)}; return ;;`],
  );
}

function wordBranch({ path, children, argument }: CommandNode): string {
  const entries = children.map(({ name, description }) => ({ word: name, description }));
  return `    ${quote(path)}) ${entries.length > 0 ? describe("command", entries) : complete(argument)} ;;`;
}

function optionBranch({ path, options }: CommandNode): string {
  const entries = options.map(({ long, description }) => ({ word: long, description }));
  return `      ${quote(path)}) ${describe("option", entries)} ;;`;
}

export function zshCompletion(program: CommandNode, boards: string): string {
  const all = everyCommand(program);
  const below = all.filter(({ path }) => path !== program.path);
  return `#compdef ${program.name}
# Completion of ${program.name} for zsh.
_${program.name}() {
  local at=${program.name} i
  local -a words_ boards_
  boards_=(${quote(boards)}/*.json(N:t:r))
  boards_=(\${boards_:#*.*})
  for ((i = 2; i < CURRENT; i++)); do
    case "$at $words[i]" in
    ${below.map(({ path }) => quote(path)).join("|")}) at="$at $words[i]" ;;
    esac
  done
  case "$at $words[CURRENT-1]" in
${all.flatMap(valueBranches).join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    case "$at" in
${all.map(optionBranch).join("\n")}
    esac
    return
  fi
  case "$at" in
${all.map(wordBranch).join("\n")}
  esac
}
if [[ $funcstack[1] == _${program.name} ]]; then
  _${program.name} "$@"
else
  compdef _${program.name} ${program.name}
fi
`;
}
