/** The scripts of `coseflow completion` in the shells themselves. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { listBoards } from "../../../scripts/build/boards.mjs";
import { repositoryRoot } from "../../../simulator/repository.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { run } from "./run.ts";

const temporary = temporaryDirectories();
const root = repositoryRoot();

/** A folder with a file and a folder in it, and the script for the shell. */
async function prepare(shell: string): Promise<{ cwd: string; script: string }> {
  const cwd = temporary();
  mkdirSync(join(cwd, "keys"));
  writeFileSync(join(cwd, "captured.bin"), "");
  for (const name of ["ttyACM0", "ttyUSB1", "null"]) writeFileSync(join(cwd, "keys", name), "");
  const { code, out } = await run("completion", shell);
  expect(code).toBe(0);
  const script = join(cwd, ".completion");
  // Serial ports of the machine are as they are.
  writeFileSync(script, out.replaceAll("/dev/tty", join(cwd, "keys", "tty")));
  return { cwd, script };
}

const isThere = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;
const linesOf = (text: string) => text.split("\n").filter(Boolean).sort();

/** What is typed, word by word; the last one is at the cursor. */
type Typed = string[];
type Complete = (typed: Typed) => string[];

/** The same for each shell: it completes commands, options, choices, files and directories. */
function completes(complete: () => Complete): void {
  it("commands, at the top and below a group", () => {
    expect(complete()(["de"])).toEqual(["demo", "device"]);
    expect(complete()(["ca", ""])).toEqual(["init", "issue", "list", "revoke", "show"]);
  });

  it("options of the command that was typed, and no others", () => {
    const found = complete()(["flash", "--"]);
    expect(found).toEqual(expect.arrayContaining(["--dry-run", "--help", "--image", "--port"]));
    expect(found).not.toContain("--broker");
    expect(complete()(["device", "register", "--n"])).toEqual(["--name"]);
  });

  it("choices of options and arguments", () => {
    expect(complete()(["ca", "issue", "--role", "re"])).toEqual(["registrar"]);
    expect(complete()(["completion", "z"])).toEqual(["zsh"]);
    expect(complete()(["inspect", "--class", "rea"])).toEqual(["reading"]);
  });

  it("files where a file is wanted, directories where one is, nothing where a value is free", () => {
    expect(complete()(["inspect", "--file", "cap"])).toEqual(["captured.bin"]);
    expect(complete()(["validate", "cap"])).toEqual(["captured.bin"]);
    const directories = complete()(["serve", "--keys", ""]).map((name) => name.replace(/\/$/, ""));
    expect(directories).toEqual(["keys"]);
    expect(complete()(["serve", "--username", ""])).toEqual([]);
  });

  it("boards of this project, and not their secrets", () => {
    const boards = listBoards(join(root, "boards"));
    for (const typed of [
      ["build", ""],
      ["flash", ""],
      ["simulate", "--board", ""],
    ])
      expect(complete()(typed)).toEqual(boards);
    expect(complete()(["flash", "xi"])).toEqual(["xiao-esp32-c3"]);
  });

  it("serial ports that are there", () => {
    const found = complete()(["flash", "--port", ""]);
    expect(found.map((path) => basename(path))).toEqual(["ttyACM0", "ttyUSB1"]);
    // More of them than a folder's random name has letters: fish finds single ones anywhere.
    expect(complete()(["monitor", "--port", "zzzzzzzz"])).toEqual([]);
  });

  it("is not led astray by a value that is the name of a command", () => {
    const found = complete()(["device", "register", "--name", "list", "--k"]);
    expect(found).toEqual(["--key"]);
  });
}

describe.runIf(isThere("bash"))("in bash", () => {
  let complete: Complete;
  beforeEach(async () => {
    const { cwd, script } = await prepare("bash");
    // compopt works in a completion alone; the rest is what bash does at a Tab.
    const program = `compopt() { :; }; . "$0"; [[ $(complete -p coseflow) == *"-F _coseflow coseflow" ]] || exit 3
COMP_WORDS=(coseflow "$@"); COMP_CWORD=$#; _coseflow; printf '%s\\n' "\${COMPREPLY[@]}"`;
    complete = (typed) =>
      linesOf(execFileSync("bash", ["-c", program, script, ...typed], { cwd, encoding: "utf8" }));
  });
  completes(() => complete);
});

describe.runIf(isThere("zsh"))("in zsh", () => {
  let complete: Complete;
  beforeEach(async () => {
    const { cwd, script } = await prepare("zsh");
    // The functions of zsh's own completion write down what they are given, as compadd filters it.
    const program = `
compdef() { :; }
match() { local w; for w in "$@"; [[ $w == "$words[CURRENT]"* ]] && print -r -- $w; }
compadd() { shift; match "$@"; }
_describe() { match \${\${(P)2}%%:*}; }
_files() { [[ $1 == -/ ]] && match *(N/) || match *(N); }
. "$0"; words=(coseflow "$@"); CURRENT=$#words; _coseflow; true`;
    complete = (typed) =>
      linesOf(execFileSync("zsh", ["-fc", program, script, ...typed], { cwd, encoding: "utf8" }));
  });
  completes(() => complete);
});

describe.runIf(isThere("fish"))("in fish", () => {
  let complete: Complete;
  beforeEach(async () => {
    const { cwd, script } = await prepare("fish");
    complete = (typed) => {
      const program = `source ${script}; complete -C "coseflow ${typed.join(" ")}"`;
      const text = execFileSync("fish", ["--no-config", "-c", program], { cwd, encoding: "utf8" });
      return linesOf(text.replace(/\t.*$/gm, ""));
    };
  });
  completes(() => complete);
});

it("refuses a shell that it does not know", async () => {
  const { code, error } = await run("completion", "tcsh");
  expect(code).toBe(2);
  expect(error).toMatch(
    /^coseflow: argument <shell>, expected one of bash, zsh, fish, got 'tcsh'\n$/,
  );
});
