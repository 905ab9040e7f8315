/** Commands that are stopped in the middle: exit code, last word, and how soon. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { holdersOf } from "../../../scripts/doctor/processes.ts";
import { createNodePort } from "../../../scripts/serial/node-port.ts";
import { CLI, temporaryDirectory } from "../../support/built.ts";
import { makeTgz, named } from "../../support/esp-rom/archive.ts";
import { COMMAND } from "../../support/esp-rom/esp-rom.ts";
import { makeParts } from "../../support/esp-rom/image.ts";
import { plugInBoard } from "../../support/esp-rom/pty-board.ts";
import { freePort } from "../../support/free-port.ts";

/** MQTT's own timer for a connection has 10 s. */
const SOON_MS = 5000;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function start(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...args], { stdio: "pipe" });
  cleanUp.push(() => child.kill("SIGKILL"));
  const told = { out: "", error: "" };
  child.stdout?.on("data", (text) => {
    told.out += text;
  });
  child.stderr?.on("data", (text) => {
    told.error += text;
  });
  return {
    child,
    told,
    ended: once(child, "close").then(([code]) => ({ code, ...told })),
    says: (stream: "out" | "error", text: RegExp) => expect.poll(() => told[stream]).toMatch(text),
  };
}

/** A server that takes connections, and says nothing on them. */
async function listen() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    cleanUp.push(() => socket.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanUp.push(() => server.close());
  return { server, url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.each(SIGNALS)("at %s", (signal) => {
  it("a command that has no other end says that it is not done", async () => {
    const { server, url } = await listen();
    // Asks the broker for ten seconds.
    const { child, ended } = start("doctor", "--broker", url, "--quiet");
    await once(server, "connection");
    child.kill(signal);
    expect(await ended).toMatchObject({
      code: 1,
      error: `coseflow: stopped by ${signal}, not done\n`,
    });
  });

  it("flash says where it was, and what to do; the port is free", async () => {
    const [directory, remove] = await temporaryDirectory("signals");
    cleanUp.push(remove);
    const image = join(directory, "espruino.tgz");
    await writeFile(image, makeTgz(named(makeParts())));
    const board = await plugInBoard({
      inLoader: true,
      fault: (command, before) =>
        command === COMMAND.deflateData && before > 0 ? "unanswered" : undefined,
    });
    cleanUp.push(board.unplug);
    const place = ["--image", image, "--port", board.path, "--keys", directory];
    const { child, says, ended } = start("flash", ...place, "--json", "--quiet");
    await says("out", /"kind":"progress"/);
    child.kill(signal);
    const { code, out, error } = await ended;
    expect([code, error]).toEqual([1, ""]);
    expect(JSON.parse(out.trim().split("\n").at(-1) as string)).toEqual({
      ...{ kind: "failed", step: "write", reason: `stopped by ${signal}` },
      next: "run it again: what is on the board is found",
    });
    const port = createNodePort(board.path);
    await port.open({ baudRate: 115_200 });
    await port.close();
  });
});

describe("coseflow repl that is stopped", () => {
  it("says whether a line is under way", async () => {
    let isDeaf = false;
    const noise = (text: string) => {
      isDeaf ||= text.includes("slow");
      return isDeaf ? "" : text;
    };
    const board = await plugInBoard({ noise });
    cleanUp.push(board.unplug);
    const idle = start("repl", "--port", board.path);
    const holders = () => holdersOf("/proc", board.path).map(({ pid }) => pid);
    await expect.poll(holders).toContain(idle.child.pid);
    idle.child.kill("SIGINT");
    expect(await idle.ended).toEqual({
      ...{ code: 1, out: "" },
      error: "stopped by SIGINT: lines may be left\n",
    });

    const busy = start("repl", "--port", board.path);
    busy.child.stdin?.write("slow\n");
    await expect.poll(() => isDeaf).toBe(true);
    busy.child.kill("SIGINT");
    expect(await busy.ended).toEqual({
      ...{ code: 1, out: "" },
      error: "stopped by SIGINT: the last line may run on\n",
    });
  });
});

describe("coseflow inspect --broker", () => {
  it("ends soon when it is told to while it connects, and after a refusal", async () => {
    const { server, url } = await listen();
    const { child, ended } = start("inspect", "--broker", url);
    await once(server, "connection");
    child.kill("SIGTERM");
    const asked = Date.now();
    expect(await ended).toEqual({ code: 0, out: "", error: "" });
    expect(Date.now() - asked).toBeLessThan(SOON_MS);

    const dead = start("inspect", "--broker", `mqtt://127.0.0.1:${await freePort()}`);
    await dead.says("error", /does not answer/);
    const told = Date.now();
    expect(await dead.ended).toMatchObject({ code: 1 });
    expect(Date.now() - told).toBeLessThan(SOON_MS);
  });
});

it("nobody who reads is no stack trace, and what is done goes on", async () => {
  const { child, told, ended } = start("validate");
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ code: 0 });
  expect(told.error).toBe("");
});
