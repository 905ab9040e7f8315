import { join } from "node:path";
import { Argument, type Command } from "@commander-js/extra-typings";
import type { Command as CommanderCommand } from "commander";
import { repositoryRoot } from "../../simulator/repository.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { describeCommand } from "../completion/tree.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { EXIT_CODES } from "./exit.ts";
import type { Output } from "./output.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export function addCompletionCommand(program: Command, output: Output): void {
  program
    .command("completion")
    .description(
      "print what makes a shell complete commands, options, files, boards and serial ports",
    )
    .addArgument(new Argument("<shell>", "for which").choices(["bash", "zsh", "fish"] as const))
    .addHelpText(
      "after",
      `
It is a script for the shell's own start file. What it completes is what this version knows:
print it again after an update. Boards and serial ports are looked for at each Tab.

${EXIT_CODES}

Examples:
  $ coseflow completion bash > ~/.local/share/bash-completion/completions/coseflow
  $ coseflow completion zsh > ~/.zfunc/_coseflow
  $ coseflow completion fish > ~/.config/fish/completions/coseflow.fish`,
    )
    .action((shell) => {
      const tree = describeCommand(program as unknown as CommanderCommand);
      output.out(SHELLS[shell](tree, join(repositoryRoot(), "boards")));
    });
}
