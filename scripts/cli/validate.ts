import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { repositoryRoot } from "../../simulator/repository.ts";
import { formatFaults } from "../board/fault.ts";
import { readText } from "../board/read-file.ts";
import { createValidator } from "../board/validate.ts";
import { JudgedAsFailed } from "./exit.ts";
import { type Output, printable } from "./output.ts";

/** All board files of the project: what lies there with another ending is none. */
function allBoards(): string[] {
  const directory = join(repositoryRoot(), "boards");
  return readdirSync(directory)
    .filter((file) => /^[^.]+\.json$/.test(file))
    .sort()
    .map((file) => join(directory, file));
}

export function addValidateCommand(program: Command, output: Output): void {
  program
    .command("validate")
    .description("check board files, and say of every fault where it is and what was expected")
    .argument("[files...]", "board files (default: all in boards/)")
    .option("--json", "one line of JSON for each fault")
    .option("--quiet", "only faults")
    .addHelpText(
      "after",
      `
Exit codes: 0 all files hold, 1 one does not, 2 the command line is wrong.

Examples:
  $ coseflow validate
  $ coseflow validate boards/greenhouse.json --json`,
    )
    .action((files, options) => {
      const validate = createValidator();
      let sound = true;
      for (const file of files.length > 0 ? files : allBoards()) {
        const faults = validate(readText(file), basename(file, ".json"));
        sound = sound && faults.length === 0;
        const lines = options.json
          ? faults.map((fault) => JSON.stringify({ file, ...fault }))
          : formatFaults(file, faults).map(printable);
        for (const line of lines) output.out(`${line}\n`);
        if (faults.length === 0 && !options.quiet && !options.json) output.out(`${file}: ok\n`);
      }
      if (!sound) throw new JudgedAsFailed();
    });
}
