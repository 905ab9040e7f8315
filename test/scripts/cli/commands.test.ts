/** A command line loads the command that it names, and no other. */
import { describe, expect, it } from "vitest";
import { COMMAND_NAMES, loadCommands } from "../../../scripts/cli/commands.ts";
import { createProgram } from "../../../scripts/cli/program.ts";
import { silent } from "./run.ts";

async function programOf(args: string[]) {
  return createProgram(silent, await loadCommands(args)).commands;
}

const namesOf = async (args: string[]) => (await programOf(args)).map((one) => one.name());

const all = await programOf([]);

describe("a command line", () => {
  it.each(COMMAND_NAMES.filter((name) => name !== "completion"))(
    "that begins with %s loads it alone, with the help that it has among all",
    async (name) => {
      const [alone, ...others] = await programOf([name, "--json"]);
      expect(others).toEqual([]);
      const among = all.find((one) => one.name() === name);
      expect(alone?.name()).toBe(name);
      expect(alone?.helpInformation()).toBe(among?.helpInformation());
    },
  );

  it.each([[[]], [["--help"]], [["help", "serve"]], [["servo"]], [["toString"]]])(
    "%j, which names none, loads all",
    async (args) => {
      expect(await namesOf(args)).toEqual(COMMAND_NAMES);
    },
  );

  it("for completion loads all", async () => {
    expect(await namesOf(["completion", "bash"])).toEqual(COMMAND_NAMES);
  });
});
