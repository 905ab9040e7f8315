/**
 * What a shell is told of the command line: commander's commands, and what each of them takes. The
 * scripts made of it know all by themselves: to start Node at each Tab takes too long.
 */
import type { Command, Option } from "commander";

/** What completes a value: files, directories, the names of boards or serial ports that there are, the words given, or nothing. */
export type Values = "files" | "directories" | "boards" | "ports" | readonly string[];

/** Serial ports of boards, as a shell looks for them at each Tab. */
export const PORTS = ["/dev/ttyACM*", "/dev/ttyUSB*"];

export interface OptionNode {
  long: string;
  description: string;
  /** Undefined for one that takes no value. */
  values: Values | undefined;
}

export interface CommandNode {
  /** With all commands above it, such as "coseflow ca init". */
  path: string;
  name: string;
  description: string;
  options: OptionNode[];
  argument: Values;
  children: CommandNode[];
}

/** Names of values that are files: a key may be one. */
const FILES = ["file", "files", "key"];

function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return choices;
  if (name === "directory") return "directories";
  if (name === "board") return "boards";
  if (name === "path") return "ports";
  return FILES.includes(name) ? "files" : [];
}

function optionNode({ long, flags, description, argChoices }: Option): OptionNode {
  const [, value] = /[<[]([a-z]+)/.exec(flags) ?? [];
  const values = value === undefined ? undefined : valuesOf(value, argChoices);
  return { long: long ?? "", description, values };
}

const HELP: OptionNode = {
  long: "--help",
  description: "display help for command",
  values: undefined,
};

/** The command and all below it. */
export function describeCommand(command: Command, above = ""): CommandNode {
  const path = `${above}${command.name()}`;
  const [first] = command.registeredArguments;
  return {
    path,
    name: command.name(),
    description: command.description(),
    options: [...command.options.map(optionNode), HELP],
    argument: first === undefined ? [] : valuesOf(first.name(), first.argChoices),
    children: command.commands.map((child) => describeCommand(child, `${path} `)),
  };
}

/** The command and all below it, in one list. */
export function everyCommand(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(everyCommand)];
}

/** Any text as one word of a shell: nothing in single quotes means anything but the quote. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
