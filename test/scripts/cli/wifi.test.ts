/** `coseflow wifi` against the firmware itself, in a simulated board at the far end of a terminal. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { makePacket } from "../../../protocol/improv.ts";
import { type BoardFiles, type LaunchedDevice, launchDevice } from "../../../simulator/launch.ts";
import { bundleBoard, CLI, temporaryDirectory } from "../../support/built.ts";
import { openPty } from "../../support/pty/pty.ts";
import { makeTrust } from "../../support/trust.ts";

const TEST_MS = 120_000;
const PASSWORD = "hush-hush";
const AIR = [
  { ssid: "desk", password: PASSWORD },
  { ssid: "caf\xc3\xa9", password: "" },
];
const BOARD = { name: "desk", network: "wifi", sensors: [], queue: { readings: 8 } };

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

const bundles = new Map<string, BoardFiles>();
beforeAll(async () => {
  const [directory, remove] = await temporaryDirectory("wifi");
  for (const console of ["open", "locked"]) {
    await mkdir(join(directory, console));
    bundles.set(
      console,
      await bundleBoard(join(directory, console), { ...BOARD, console } as never),
    );
  }
  return remove;
});

async function plugIn(settings: object, console = "open") {
  const [directory, remove] = await temporaryDirectory("wifi-board");
  cleanUp.push(remove);
  const pty = await openPty();
  cleanUp.push(pty.unplug);
  const lines: string[] = [];
  const send = (text: string) => pty.child.stdin?.write(Buffer.from(text, "latin1"));
  const device: LaunchedDevice = launchDevice({
    files: bundles.get(console) as BoardFiles,
    directory,
    settings: {
      brokers: [{ host: "127.0.0.1", port: 9 }],
      ...(await makeTrust()),
      wifi: undefined,
      ...settings,
    },
    accessPoints: AIR,
    console(line) {
      lines.push(line);
      send(`${line}\r\n`);
    },
    onPacket: (type, data) => send(makePacket(type, data)),
  });
  cleanUp.push(device.powerOff);
  pty.child.stdout?.on("data", (bytes: Buffer) => device.send(bytes.toString("latin1")));
  return { path: pty.path, lines, device };
}

const GIVE = ["--ssid", "desk", "--password-stdin"];

describe("coseflow wifi", () => {
  it(
    "lists what the board hears, gives it a network, and then finds it running",
    async () => {
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
      await expect
        .poll(() => lines, { timeout: 10_000 })
        .toContainEqual(expect.stringMatching(/^Wi-Fi: joined desk/));
      expect(lines.join("\n")).not.toContain(PASSWORD);

      const again = await wifi("", "--port", path, "--scan");
      expect(again).toMatchObject({
        code: 1,
        error: expect.stringMatching(
          /expected it in setup or safe mode, got network; next: press RESET/,
        ),
      });
    },
    TEST_MS,
  );

  it(
    "says that the board could not join, which keeps what it had; and another time it does",
    async () => {
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
    },
    TEST_MS,
  );

  it(
    "gives another network to a board in safe mode, which has a wrong one, and whose console is locked",
    async () => {
      const settings = { wifi: { ssid: "gone", password: "no matter which" } };
      const { path, lines, device } = await plugIn(settings);
      await expect
        .poll(() => lines, { timeout: 10_000 })
        .toContainEqual(expect.stringMatching(/^Wi-Fi: not joined/));
      device.type("safe()");
      await expect.poll(() => lines, { timeout: 10_000 }).toContain("state: safe");
      expect(await wifi(PASSWORD, "--port", path, ...GIVE)).toMatchObject({ code: 0 });
      await expect
        .poll(() => lines, { timeout: 10_000 })
        .toContainEqual(expect.stringMatching(/^Wi-Fi: joined desk/));

      const locked = await plugIn({}, "locked");
      expect(await wifi(PASSWORD, "--port", locked.path, ...GIVE)).toMatchObject({ code: 0 });
      // What was typed and logged in between is nowhere.
      expect(locked.lines).toEqual([]);
    },
    TEST_MS,
  );

  it(
    "tells a board without a broker, a port without a board, and a wrong command line apart",
    async () => {
      const { path, lines } = await plugIn({ brokers: [] });
      expect(lines).toContain("state: safe");
      expect(await wifi(PASSWORD, "--port", path, ...GIVE)).toMatchObject({ code: 1 });
      expect(lines).toContainEqual(expect.stringMatching(/^Wi-Fi by Improv: .*brokers, expected/));

      const nobody = await openPty();
      cleanUp.push(nobody.unplug);
      expect(await wifi(PASSWORD, "--port", nobody.path, ...GIVE)).toMatchObject({
        code: 1,
        error: expect.stringMatching(/expected an answer to Improv, got none; next: /),
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
          /got no terminal to ask at; next: give it by --password-stdin/,
        ),
      });
    },
    TEST_MS,
  );
});
