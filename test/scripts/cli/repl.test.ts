import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { hideSecrets, refusalOf, secretsOf } from "../../../scripts/serial/repl.ts";
import { CLI, temporaryDirectory } from "../../support/built.ts";
import { plugInBoard } from "../../support/esp-rom/pty-board.ts";

const SECRET = "hush-hush";

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function start(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...args], { stdio: "pipe" });
  const told = { out: "", error: "" };
  child.stdout?.on("data", (text) => {
    told.out += text;
  });
  child.stderr?.on("data", (text) => {
    told.error += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number, ...told }));
  return { child, told, ended };
}

async function plugIn() {
  const board = await plugInBoard();
  cleanUp.push(board.unplug);
  return board;
}

describe("coseflow repl", () => {
  it("runs lines from a pipe one after the other, and shows what they print", async () => {
    const { path } = await plugIn();
    const { child, ended } = start("repl", "--port", path);
    child.stdin?.end('print("one "+(1+1))\nprint(process.env.BOARD)\nnonsense(\n');
    const { code, out, error } = await ended;
    expect(error).toBe("");
    expect(out).toMatch(/^one 2\nCOSEFLOW_ESP32C3\nUncaught .*\n$/);
    expect(code).toBe(0);
  });

  it("sends no line that would show a secret, and hides those that come", async () => {
    const { path, board } = await plugIn();
    board.files.set("coseflow.json", "{}");
    const [directory, remove] = await temporaryDirectory("repl");
    cleanUp.push(remove);
    const settings = join(directory, "my.secrets.json");
    await writeFile(settings, JSON.stringify({ wifi: [{ ssid: "home", password: SECRET }] }));
    const { child, ended } = start("repl", "--port", path, "--settings", settings);
    child.stdin?.end(
      `print(require("Storage").read("coseflow.json"))\nprint("${SECRET}")\nprint("hush"+"-hush")\n`,
    );
    const { code, out, error } = await ended;
    expect(out).toBe("***\n");
    expect(error).toMatch(/not sent: it names the settings.*\nnot sent: it holds a secret/);
    expect(code).toBe(1);
  });

  it("says that a board does not answer, and that a port is gone", async () => {
    const board = await plugInBoard({ noise: () => "" });
    cleanUp.push(board.unplug);
    const silent = start("repl", "--port", board.path);
    silent.child.stdin?.end("status()\n");
    expect(await silent.ended).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no end: .*nobody answers/),
    });

    const going = await plugInBoard({
      noise: (text) => {
        void going.unplug();
        return text.slice(0, 0);
      },
    });
    cleanUp.push(going.unplug);
    const gone = start("repl", "--port", going.path);
    gone.child.stdin?.end("status()\nstatus()\n");
    expect(await gone.ended).toEqual({
      ...{ code: 1, out: "" },
      error: "coseflow: port, expected it to stay, got its end; next: plug the board in again\n",
    });

    const { child, ended } = start("repl", "--port", "/dev/ttyACM99");
    child.stdin?.end("status()\n");
    expect(await ended).toMatchObject({ code: 1, error: expect.stringContaining("there is no") });
  });
});

describe("what is refused", () => {
  it.each([
    'require("Storage").readJSON("coseflow.json")',
    "E.memoryArea(0x3f0000,100)",
    "peek32(0)",
    "trace()",
    "dump()",
    'require("Flash").read(10,0)',
  ])("%s", (line) => expect(refusalOf(line, [])).toBeDefined());

  it("is not what a person asks a device", () => {
    for (const line of ["status()", "rekey()", "process.memory()", 'require("Storage").list()'])
      expect(refusalOf(line, [SECRET])).toBeUndefined();
  });

  it("are the passwords and claims of the settings, wherever they stand", () => {
    const settings = {
      brokers: [{ host: "a", username: "u", password: "p1" }, { password: "" }],
      wifi: [{ ssid: "s", password: "p2" }],
      claim: "c3",
    };
    expect(secretsOf(settings)).toEqual(["p1", "p2", "c3"]);
    expect(hideSecrets("p1 and c3", secretsOf(settings))).toBe("*** and ***");
  });
});

describe("coseflow monitor", () => {
  it("runs without a terminal, with time stamps, resets nothing, and ends well on a signal", async () => {
    const { path, board } = await plugIn();
    const { child, told, ended } = start("monitor", "--port", path, "--timestamps");
    const until = (stream: "stdout" | "stderr", text: RegExp) =>
      new Promise<void>((resolve) => {
        child[stream]?.on("data", () => {
          if (text.test(told.out + told.error)) resolve();
        });
      });
    await until("stderr", /connected/);
    board.receive(Buffer.from('\x10print("state: streaming")\n'));
    await until("stdout", /streaming\n/);
    child.kill("SIGINT");
    const { code, out, error } = await ended;
    expect(out).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z state: streaming\n/);
    expect(error).toBe(`${path}: connected\n`);
    expect(code).toBe(0);
    expect(board.starts).toBe(0);
  });
});
