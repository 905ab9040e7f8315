/** `coseflow wifi` against the firmware itself, in a simulated board at the far end of a terminal. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createNodePort } from "../../../scripts/serial/node-port.ts";
import { CLI } from "../../support/built.ts";
import { openPty } from "../../support/pty/pty.ts";
import { AIR, type Bundles, makeBundles, PASSWORD, plugInUnset } from "./wifi-bench.ts";

const ENTER = "\r";
const CTRL_C = "\x03";
const ASKED = "Password (none for an open network): ";
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function wifi(input: string, ...args: string[]) {
  const child = spawn(process.execPath, [CLI, "wifi", ...args], { stdio: "pipe" });
  const told = { out: "", error: "" };
  child.stdout.on("data", (text) => {
    told.out += text;
  });
  child.stderr.on("data", (text) => {
    told.error += text;
  });
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, ...told };
}

let bundles: Bundles;
beforeAll(async () => {
  const [made, remove] = await makeBundles("open", "locked");
  bundles = made;
  return remove;
});

const plugIn = (settings: object, console = "open", flash?: string) =>
  plugInUnset(bundles, cleanUp, settings, console, flash);

const GIVE = ["--ssid", "desk", "--password-stdin"];

describe("coseflow wifi", () => {
  it("lists what the board hears, gives it a network, and then finds it running", async () => {
    const { path, lines } = await plugIn({});
    expect(lines).toContain("state: setup");
    const heard = await wifi("", "--port", path, "--scan", "--json", "--quiet");
    expect(heard).toMatchObject({ code: 0, error: "" });
    const networks = heard.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(networks).toHaveLength(AIR.length);
    expect(networks).toContainEqual({ kind: "network", ssid: "desk", rssi: -50, secured: true });
    expect(networks).toContainEqual({ kind: "network", ssid: "café", rssi: -50, secured: false });

    const given = await wifi(`${PASSWORD}\n`, "--port", path, ...GIVE);
    expect(given).toMatchObject({
      code: 0,
      out: "joined desk: the board restarts with it\n",
      error: expect.stringMatching(/^desk \(desk\), coseflow \d.*\njoining desk\n$/),
    });
    await expect.poll(() => lines).toContainEqual(expect.stringMatching(/^Wi-Fi: joined desk/));
    expect(lines.join("\n")).not.toContain(PASSWORD);

    const again = await wifi("", "--port", path, "--scan");
    expect(again).toMatchObject({
      code: 1,
      error: expect.stringMatching(
        /expected it in setup or safe mode, got network\n {2}next: press RESET/,
      ),
    });
  });

  it("says that the board could not join, which keeps what it had; and another time it does", async () => {
    const { path, lines } = await plugIn({});
    const wrong = await wifi("not-this-one", "--port", path, ...GIVE, "--json", "--quiet");
    expect(wrong).toMatchObject({ code: 1, error: "" });
    expect(JSON.parse(wrong.out)).toMatchObject({
      kind: "failed",
      reason: "board, expected to join the network, got no connection",
    });
    expect(lines).toContain("Wi-Fi by Improv: not joined, 4WAY_HANDSHAKE_TIMEOUT");
    expect(lines.filter((line) => line === "state: setup")).toHaveLength(1);
    expect(await wifi(PASSWORD, "--port", path, ...GIVE)).toMatchObject({ code: 0 });
  });

  it("gives another network to a board in safe mode, which has a wrong one, and whose console is locked", async () => {
    const settings = { wifi: { ssid: "gone", password: "no matter which" } };
    const { path, lines, device } = await plugIn(settings);
    await expect.poll(() => lines).toContainEqual(expect.stringMatching(/^Wi-Fi: not joined/));
    device.type("safe()");
    await expect.poll(() => lines).toContain("state: safe");
    expect(await wifi(PASSWORD, "--port", path, ...GIVE)).toMatchObject({ code: 0 });
    await expect.poll(() => lines).toContainEqual(expect.stringMatching(/^Wi-Fi: joined desk/));

    const locked = await plugIn({}, "locked");
    expect(await wifi(PASSWORD, "--port", locked.path, ...GIVE)).toMatchObject({ code: 0 });
    // What was typed and logged in between is nowhere.
    expect(locked.lines).toEqual([]);
  });

  it("boots with what it had, or with the new network, where the power went while it kept it", async () => {
    const { path, directory, device } = await plugIn({});
    expect(await wifi(PASSWORD, "--port", path, ...GIVE)).toMatchObject({ code: 0 });
    device.powerOff();
    const [first, second] = ["b", "a"].map((slot) => join(directory, "keys", `r-set-${slot}`));
    const whole = readFileSync(first as string);
    truncateSync(second as string, 40);
    const late = await plugIn({}, "open", directory);
    await expect
      .poll(() => late.lines)
      .toContainEqual(expect.stringMatching(/^Wi-Fi: joined desk/));
    late.device.powerOff();
    rmSync(second as string);
    writeFileSync(first as string, whole.subarray(0, 40));
    expect((await plugIn({}, "open", directory)).lines).toContain("state: setup");
  });

  it("tells a board without a broker, a port without a board, and a wrong command line apart", async () => {
    const { path, lines } = await plugIn({ brokers: [] });
    expect(lines).toContain("state: safe");
    expect(await wifi(PASSWORD, "--port", path, ...GIVE)).toMatchObject({ code: 1 });
    expect(lines).toContainEqual(expect.stringMatching(/^Wi-Fi by Improv: .*brokers, expected/));

    const nobody = await openPty();
    cleanUp.push(nobody.unplug);
    expect(await wifi(PASSWORD, "--port", nobody.path, ...GIVE)).toMatchObject({
      code: 1,
      error: expect.stringMatching(/expected an answer to Improv, got none\n {2}next: /),
    });
    expect(await wifi("short", "--port", path, ...GIVE)).toMatchObject({
      code: 1,
      error: expect.stringMatching(/expected 8 to 63 bytes or none, got 5/),
    });
    expect(await wifi("", "--port", path)).toMatchObject({ code: 2 });
    expect(await wifi("", "--port", path, "--ssid", "x".repeat(32))).toMatchObject({ code: 2 });
    expect(await wifi("", "--port", path, "--ssid", "desk")).toMatchObject({
      code: 1,
      error: expect.stringMatching(
        /got no terminal to ask at\n {2}next: give it by --password-stdin/,
      ),
    });
  });
});

/** The command with all its streams at a terminal, and who sits there. */
async function sitDown(...args: string[]) {
  const pty = await openPty();
  cleanUp.push(pty.unplug);
  const stty = (...words: string[]) =>
    execFileSync("stty", ["-F", pty.path, ...words], { encoding: "utf8" });
  stty("sane");
  const before = stty("-g");
  const terminal = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY);
  const child = spawn(process.execPath, [CLI, "wifi", ...args], {
    stdio: [terminal, terminal, terminal],
  });
  cleanUp.push(() => child.kill("SIGKILL"));
  closeSync(terminal);
  const screen = { text: "" };
  pty.child.stdout?.on("data", (text) => {
    screen.text += text;
  });
  const ended = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  return {
    child,
    screen,
    ended,
    sees: (text: string) => expect.poll(() => screen.text).toContain(text),
    type: (text: string) => pty.child.stdin?.write(text),
    isAsBefore: () => stty("-g") === before,
  };
}

describe("coseflow wifi at a terminal", () => {
  it("takes the password without a letter of it on the screen", async () => {
    const { path } = await plugIn({});
    const { type, sees, ended, screen, isAsBefore } = await sitDown(
      "--port",
      path,
      "--ssid",
      "desk",
    );
    await sees(ASKED);
    expect(isAsBefore()).toBe(false);
    for (const letter of PASSWORD) type(letter);
    type(ENTER);
    expect(await ended).toEqual({ code: 0, signal: null });
    await sees("joined desk");
    const [, after = ""] = screen.text.split(ASKED);
    expect(after).toMatch(/^\r\ndesk \(desk\), coseflow [^\r\n]*\r\njoining desk\r\njoined desk: /);
    expect(isAsBefore()).toBe(true);
  });

  it("ends at Ctrl-C and leaves the terminal as it was", async () => {
    const args = ["--port", "/dev/ttyACM99", "--ssid", "desk"];
    const { type, sees, ended, screen, isAsBefore } = await sitDown(...args);
    await sees(ASKED);
    type(PASSWORD.slice(0, 4) + CTRL_C);
    expect(await ended).toEqual({ code: 1, signal: null });
    await sees("password, expected one, got none");
    expect(screen.text).not.toContain(PASSWORD.slice(0, 4));
    expect(isAsBefore()).toBe(true);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("ends so at %s too", async (signal) => {
    const nowhere = await sitDown("--port", "/dev/ttyACM99", "--ssid", "desk");
    await nowhere.sees(ASKED);
    nowhere.type(PASSWORD.slice(0, 4));
    nowhere.child.kill(signal);
    expect(await nowhere.ended).toEqual({ code: 1, signal: null });
    await nowhere.sees(`stopped by ${signal}`);
    expect(nowhere.screen.text).not.toContain(PASSWORD.slice(0, 4));
    expect(nowhere.isAsBefore()).toBe(true);
  });
});

describe("coseflow wifi that is stopped while the board joins", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("by %s says so, and closes the port", async (signal) => {
    const { path } = await plugIn({});
    const args = ["wifi", "--port", path, "--ssid", "desk", "--password-stdin", "--json"];
    const child = spawn(process.execPath, [CLI, ...args], { stdio: "pipe" });
    cleanUp.push(() => child.kill("SIGKILL"));
    let out = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stdin.end("not-this-one");
    let error = "";
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (text) => {
        error += text;
        if (error.includes("joining desk")) resolve();
      });
    });
    child.kill(signal);
    expect(await once(child, "close")).toEqual([1, null]);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([{ kind: "failed", reason: `stopped by ${signal}`, next: expect.any(String) }]);
    expect(error).not.toMatch(/coseflow:|not-this-one/);
    const port = createNodePort(path);
    await port.open({ baudRate: 115_200 });
    await port.close();
  });
});
