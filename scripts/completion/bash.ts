import { type CommandNode, everyCommand, PORTS, quote, type Values } from "./tree.ts";

function complete(values: Values): string {
  if (values === "files")
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
  if (values === "directories")
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur")';
  if (values === "boards")
    return 'mapfile -t COMPREPLY < <(compgen -W "$(__coseflow_boards)" -- "$cur")';
  if (values === "ports")
    return `mapfile -t COMPREPLY < <(shopt -s nullglob; compgen -W "$(echo ${PORTS.join(" ")})" -- "$cur")`;
  if (values.length === 0) return ":";
  return `mapfile -t COMPREPLY < <(compgen -W ${quote(values.join(" "))} -- "$cur")`;
}

/** A branch for each option with a value: what stands before the cursor decides. */
function valueBranches({ path, options }: CommandNode): string[] {
  return options.flatMap(({ long, values }) =>
    values === undefined ? [] : [`    ${quote(`${path} ${long}`)}) ${complete(values)}; return ;;`],
  );
}

function wordBranch({ path, children, argument }: CommandNode): string {
  const values = children.length > 0 ? children.map(({ name }) => name) : argument;
  return `    ${quote(path)}) ${complete(values)} ;;`;
}

function optionBranch({ path, options }: CommandNode): string {
  return `      ${quote(path)}) ${complete(options.map(({ long }) => long))} ;;`;
}

export function bashCompletion(program: CommandNode, boards: string): string {
  const all = everyCommand(program);
  const below = all.filter(({ path }) => path !== program.path);
  return `# Completion of ${program.name} for bash.
__${program.name}_boards() {
  local file
  for file in ${quote(boards)}/*.json; do
    file=\${file##*/}
    [[ $file == *.*.json || $file == '*.json' ]] || echo "\${file%.json}"
  done
}
_${program.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at=${program.name} i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
    ${below.map(({ path }) => quote(path)).join("|")}) at+=" \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $prev" in
${all.flatMap(valueBranches).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    case "$at" in
${all.map(optionBranch).join("\n")}
    esac
    return
  fi
  case "$at" in
${all.map(wordBranch).join("\n")}
  esac
}
complete -F _${program.name} ${program.name}
`;
}
