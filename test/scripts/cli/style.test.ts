/** What holds for every command: help with an example that works, exit codes, --json, --quiet. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadCommands } from "../../../scripts/cli/commands.ts";
import { wantsColour } from "../../../scripts/cli/output.ts";
import { createProgram } from "../../../scripts/cli/program.ts";
import { describeCommand, everyCommand } from "../../../scripts/completion/tree.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { run, silent } from "./run.ts";

const temporary = temporaryDirectories();

const program = createProgram(silent, await loadCommands([]));
const commands = everyCommand(describeCommand(program as never));
const leaves = commands.filter(({ children }) => children.length === 0);

/** What they print is for a program already: a line of JSON, and a script of a shell. */
const WITHOUT_JSON = ["coseflow audit export-head", "coseflow completion"];

const wordsOf = (path: string) => path.split(" ").slice(1);

/** The examples of a help text; a line may go on in the next. */
function examples(help: string): string[] {
  const [, text = ""] = help.split(/\nExamples?:\n/);
  return text
    .replace(/\\\n\s+/g, "")
    .split("\n")
    .flatMap((line) => /^ {2}\$ (?:echo '[^']*' \| )?(coseflow .*)$/.exec(line)?.[1] ?? []);
}

afterEach(() => vi.unstubAllEnvs());

it("knows all commands", () => expect(leaves.length).toBeGreaterThan(30));

describe.each(commands.map((node) => [node.path, node] as const))("%s", (path, node) => {
  it("explains itself with an example of its own, and says what its exit codes mean", async () => {
    const { code, out, error } = await run(...wordsOf(path), "--help");
    expect({ code, error }).toEqual({ code: 0, error: "" });
    const shown = examples(out);
    expect(shown.filter((line) => `${line} `.startsWith(`${path} `))).not.toEqual([]);
    if (node.children.length === 0)
      expect(out).toMatch(/^Exit codes: 0 .*2 the command line is wrong/ms);
  });

  it("has only examples whose commands and options there are", async () => {
    const { out } = await run(...wordsOf(path), "--help");
    for (const line of examples(out)) {
      const named = commands.filter((one) => `${line} `.startsWith(`${one.path} `)).at(-1);
      const options = line.match(/(?<=\s)--[a-z][a-z-]*/g) ?? [];
      const known = named?.options.map(({ long }) => long);
      for (const option of options) expect(known, line).toContain(option);
    }
  });

  it("refuses an option that it has not with code 2, in one line on standard error", async () => {
    const { code, out, error } = await run(...wordsOf(path), "--bogus");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    // One that is missing is told before one that there is not.
    expect(error).toMatch(/^coseflow: option[^\n]*, expected [^\n]+, got (--bogus|none)\n$/);
    const json = await run(...wordsOf(path), "--bogus", "--json");
    expect({ code: json.code, out: json.out }).toEqual({ code: 2, out: "" });
    expect(JSON.parse(json.error)).toMatchObject({ kind: "usage" });
  });

  it.runIf(node.children.length === 0)("can be quiet, and give what it says to a program", () => {
    const known = node.options.map(({ long }) => long);
    expect(known).toContain("--quiet");
    expect(known.includes("--json")).toBe(!WITHOUT_JSON.includes(path));
    const flags = node.options.filter(({ long }) => ["--quiet", "--json"].includes(long));
    for (const { values } of flags) expect(values).toBeUndefined();
  });
});

const HELP = "expected one that `coseflow";

describe("a wrong command line", () => {
  it.each([
    ["a command", ["inti"], `command, ${HELP} --help\` lists, got inti; did you mean init?`],
    [
      "below a group",
      ["ca", "sho"],
      `command, ${HELP} ca --help\` lists, got sho; did you mean show?`,
    ],
    [
      "an option",
      ["build", "--wach"],
      `option, ${HELP} build --help\` lists, got --wach; did you mean --watch?`,
    ],
    ["no argument", ["completion"], "argument <shell>, expected a value, got none"],
    ["one too many", ["ports", "now"], "arguments, expected at most 0, got 1"],
    ["no value", ["monitor", "--port"], "option --port <path>, expected a value, got none"],
    [
      "no option that it needs",
      ["device", "register"],
      "option --key <key>, expected it, got none",
    ],
    [
      "no choice",
      ["completion", "tcsh"],
      "argument <shell>, expected one of bash, zsh, fish, got 'tcsh'",
    ],
    [
      "a wrong value",
      ["flash", "--baud", "1"],
      "option --baud <rate>, expected a whole number from 9600 to 2000000, got '1'",
    ],
    [
      "a wrong name",
      ["build", "../x"],
      "argument <board>, expected the name of a file in boards/, such as linux, got '../x'",
    ],
    [
      "two lines",
      ["build", "a\nb"],
      "argument <board>, expected the name of a file in boards/, such as linux, got 'a b'",
    ],
    [
      "what does not go together",
      ["flash", "--erase"],
      "--erase, expected --image with it, got none",
    ],
  ])(
    "%s is told in the words of every error, and to programs as JSON",
    async (_what, args, words) => {
      const text = await run(...args);
      expect(text).toEqual({ code: 2, out: "", error: `coseflow: ${words}\n` });
      if (args.includes("--port")) return;
      const json = await run(...args, "--json");
      expect({ code: json.code, out: json.out }).toEqual({ code: 2, out: "" });
      expect(JSON.parse(json.error)).toMatchObject({ kind: "usage" });
    },
  );

  it("shows no password of a broker", async () => {
    const { code, error } = await run("serve", "--broker", "ftp://ann:hunter2@host");
    expect(code).toBe(2);
    expect(error).not.toContain("hunter2");
  });
});

describe("--quiet", () => {
  it("leaves results, and takes what is said about them", async () => {
    const said = await run("ca", "init", "--dir", temporary());
    expect(said.error).toMatch(/^keys made in /);
    const quiet = await run("ca", "init", "--dir", temporary(), "--quiet");
    expect(quiet).toMatchObject({
      code: 0,
      error: "",
      out: expect.stringMatching(/^04[0-9a-f]{128}\n$/),
    });
  });

  it("takes no error", async () => {
    const { code, error } = await run("ca", "show", "--dir", temporary(), "--quiet");
    expect(code).toBe(1);
    expect(error).toMatch(/^coseflow: .*expected .*got .*\n$/);
  });
});

describe("--json", () => {
  it("is one line for what a command has made", async () => {
    const dir = temporary();
    const line = async (...args: string[]) => {
      const { code, out } = await run(...args, "--json");
      expect({ args, code, lines: out.split("\n").length }).toEqual({ args, code: 0, lines: 2 });
      return JSON.parse(out);
    };
    const { cloudPublicKey } = await line("ca", "init", "--dir", dir);
    const shown = await line("ca", "show", "--dir", dir);
    expect(shown).toMatchObject({ role: "cloud", publicKey: cloudPublicKey });
    expect(await line("ca", "show", "--anchor", "--dir", dir)).toEqual({
      anchor: expect.stringMatching(/^30[0-9a-f]+$/),
    });
    const { serial } = await line("ca", "issue", "--role", "registrar", "--dir", dir);
    expect(await line("ca", "revoke", serial, "--dir", dir)).toEqual({
      role: "registrar",
      serial,
      issuedNotBefore: expect.any(Number),
    });
    const db = `${dir}/cloud.db`;
    const { kid } = await line("device", "register", "--key", cloudPublicKey, "--db", db);
    const revoked = await line("device", "revoke", kid, "--db", db);
    expect(revoked).toEqual({ kid, outcome: "revoked" });
  });
});

describe("colour", () => {
  it("is for terminals, and for none where NO_COLOR is set", () => {
    vi.stubEnv("NO_COLOR", "");
    expect([wantsColour({ isTTY: true }), wantsColour({ isTTY: false })]).toEqual([true, false]);
    vi.stubEnv("NO_COLOR", "1");
    expect(wantsColour({ isTTY: true })).toBe(false);
  });
});
