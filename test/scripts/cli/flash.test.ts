import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createNodePort } from "../../../scripts/serial/node-port.ts";
import { temporaryDirectory } from "../../support/built.ts";
import { makeTgz, named } from "../../support/esp-rom/archive.ts";
import { COMMAND } from "../../support/esp-rom/esp-rom.ts";
import { KEY_ID, PUBLIC_KEY } from "../../support/esp-rom/fake-board.ts";
import { C3, makeParts, merge, S3 } from "../../support/esp-rom/image.ts";
import { plugInBoard } from "../../support/esp-rom/pty-board.ts";
import { run } from "./run.ts";

const BOARD = "esp32-c3-devkitm-1";
const SECRET = "hush-hush-hush";
const TRUST = { anchor: "3082", cloudCertificate: "3082" };
const SETTINGS = {
  ...TRUST,
  brokers: [{ host: "broker.example", port: 1883, username: "desk", password: SECRET }],
  wifi: [{ ssid: "caf\u00e9", password: SECRET }],
};

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function unpack(chipId = C3) {
  const [directory, remove] = await temporaryDirectory("flash-cli");
  cleanUp.push(remove);
  const image = join(directory, "espruino.tgz");
  const settings = join(directory, "my.secrets.json");
  await writeFile(image, makeTgz(named(makeParts(chipId))));
  await writeFile(settings, JSON.stringify(SETTINGS));
  return { directory, image, settings, args: [BOARD, "--image", image, "--settings", settings] };
}

async function plugIn(options: Parameters<typeof plugInBoard>[0] = {}) {
  const board = await plugInBoard({ inLoader: true, ...options });
  cleanUp.push(board.unplug);
  return board;
}

describe("coseflow flash", () => {
  it("flashes a board on a port, shows its key and the command that registers it", async () => {
    const { args } = await unpack();
    const { path, board } = await plugIn();
    const ran = await run("flash", ...args, "--port", path);
    expect(ran.error).toContain("application: checked");
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(`device ${KEY_ID}\n`);
    expect(ran.out).toContain(`coseflow device register --key ${PUBLIC_KEY}\n`);
    expect(ran.out + ran.error).not.toContain(SECRET);
    const written = board.files.get("coseflow.json") as string;
    expect(JSON.parse(Buffer.from(written, "latin1").toString("utf8"))).toEqual(SETTINGS);
  });

  it("with --json ends in one line of what was done, and says nothing else", async () => {
    const { args } = await unpack();
    const { path } = await plugIn();
    const ran = await run("flash", ...args, "--port", path, "--json");
    const lines = ran.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ kind: "plan", board: BOARD, chip: "esp32-c3" });
    expect(lines.at(-1)).toEqual({
      kind: "done",
      board: BOARD,
      image: "written",
      bundle: "written",
      settings: "written",
      keyId: KEY_ID,
      publicKey: PUBLIC_KEY,
      register: `coseflow device register --key ${PUBLIC_KEY}`,
    });
    expect(ran.error).toBe("");
    expect(ran.out).not.toContain(SECRET);
  });

  it.each([
    ["loader", COMMAND.sync, 0],
    ["write", COMMAND.deflateData, 2],
  ])(
    "is not done when the cable is pulled in the step %s, says why, and what next",
    async (step, pulled, after) => {
      const { args } = await unpack();
      const { path } = await plugIn({
        fault: (command, before) => (command === pulled && before === after ? "unplug" : undefined),
      });
      const ran = await run("flash", ...args, "--port", path, "--json");
      expect(ran.code).toBe(1);
      expect(JSON.parse(ran.out.trimEnd().split("\n").at(-1) as string)).toMatchObject({
        kind: "failed",
        step,
        reason: expect.stringContaining("the port is gone"),
        next: expect.stringContaining("plug the board in again"),
      });
    },
  );

  it("names who holds a port that is busy", async () => {
    const { args } = await unpack();
    const { path } = await plugIn();
    const holder = createNodePort(path);
    await holder.open({ baudRate: 115_200 });
    cleanUp.push(() => holder.close());
    const ran = await run("flash", ...args, "--port", path);
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/not done, port: .*in use by .*\(process \d+\)/);
    expect(ran.error).toContain("next: close it");
  });

  it("says that there is no such port", async () => {
    const { args } = await unpack();
    const ran = await run("flash", ...args, "--port", "/dev/ttyACM99");
    expect(ran.code).toBe(1);
    expect(ran.error).toMatch(/there is no \/dev\/ttyACM99\n {2}next: .*coseflow ports/);
  });

  it("with --dry-run judges the files and touches no port", async () => {
    const { args, directory } = await unpack();
    const ran = await run("flash", ...args, "--dry-run");
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/0x10000 +\d+ bytes {2}application\n/);
    expect(ran.out).toMatch(/file +\d+ bytes {2}coseflow\.json\n/);
    expect(ran.out).not.toContain(SECRET);

    const folder = join(directory, "folder");
    await mkdir(folder);
    for (const [name, bytes] of Object.entries(named(makeParts())))
      await writeFile(join(folder, name), bytes);
    const merged = join(directory, "merged.bin");
    await writeFile(merged, merge(makeParts()).bytes);
    const [board = "", , , ...settings] = args;
    for (const image of [folder, merged]) {
      const again = await run("flash", board, "--image", image, ...settings, "--dry-run");
      expect(again.code).toBe(0);
    }
  });

  it("refuses files that do not fit, before it looks for a port", async () => {
    const wrong = await unpack(S3);
    const chip = await run("flash", ...wrong.args, "--dry-run");
    expect(chip.code).toBe(1);
    expect(chip.error).toMatch(/files: .*esp32-s3.*\n {2}next: /);

    const { image, settings, args } = await unpack();
    await writeFile(image, makeTgz({ "bootloader.bin": new Uint8Array(4) }));
    const parts = await run("flash", ...args, "--dry-run");
    expect(parts.error).toContain("expected bootloader.bin, partition-table.bin and one espruino");
    await writeFile(image, Buffer.from([0x1f, 0x8b, 1, 2]));
    expect((await run("flash", ...args, "--dry-run")).error).toContain("does not unpack");

    // What JSON.parse would quote is a password.
    await writeFile(settings, `{"password": "${SECRET}" "`);
    const broken = await run("flash", BOARD, "--settings", settings, "--dry-run");
    expect(broken.error).toContain("holds no JSON object");
    expect(broken.error).not.toContain(SECRET);
    await writeFile(settings, JSON.stringify({ ...TRUST, brokers: [] }));
    const empty = await run("flash", BOARD, "--settings", settings, "--dry-run");
    expect(empty.error).toContain("has no brokers");
  });

  it("wants an image with --erase, and a rate that there is", async () => {
    expect((await run("flash", "--erase")).code).toBe(2);
    expect((await run("flash", "--baud", "3")).code).toBe(2);
    expect((await run("flash", "../boards")).code).toBe(2);
  });
});
