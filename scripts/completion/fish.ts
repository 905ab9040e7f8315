import { type CommandNode, everyCommand, PORTS, type Values } from "./tree.ts";

/** In single quotes of fish a backslash and the quote mean something. */
function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function complete(values: Values): string {
  if (values === "files") return "-r -F";
  if (values === "directories") return `-x -a '(__fish_complete_directories)'`;
  if (values === "boards") return "-x -a '(__coseflow_boards)'";
  if (values === "ports") return "-x -a '(__coseflow_ports)'";
  return values.length === 0 ? "-x" : `-x -a ${quote(values.join(" "))}`;
}

function lines(program: string, { path, options, children, argument }: CommandNode): string[] {
  const begin = `complete -c ${program} -n ${quote(`__${program}_at ${quote(path)}`)}`;
  return [
    ...children.map(({ name, description }) => `${begin} -a ${name} -d ${quote(description)}`),
    ...(argument.length === 0
      ? []
      : [`${begin} ${argument === "files" ? "-F" : complete(argument)}`]),
    ...options.map(({ long, description, values }) => {
      const value = values === undefined ? "" : ` ${complete(values)}`;
      return `${begin} -l ${long.slice(2)}${value} -d ${quote(description)}`;
    }),
  ];
}

export function fishCompletion(program: CommandNode, boards: string): string {
  const { name } = program;
  const all = everyCommand(program);
  const below = all.filter(({ path }) => path !== program.path).map(({ path }) => quote(path));
  return `# Completion of ${name} for fish.
function __${name}_at
  set -l at ${name}
  set -l typed (commandline -opc)
  for word in $typed[2..-1]
    if contains -- "$at $word" ${below.join(" ")}
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
function __${name}_boards
  for file in ${quote(boards)}/*.json
    string match -v '*.*' (basename $file .json)
  end
end
function __${name}_ports
  set -l found ${PORTS.join(" ")}
  string join \\n $found
end
complete -c ${name} -f
${all.flatMap((node) => lines(name, node)).join("\n")}
`;
}
