/**
 * What a new user does, in a clone of its own: init, flash, monitor, and then readings in serve.
 * The chip is one that runs what is flashed: the simulator behind the ROM's loader, or Espruino.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { describeEspruino } from "../emulator/espruino.ts";
import { makeClone } from "../support/clone.ts";
import { type ConsoleLines, createConsoleLines } from "../support/console-lines.ts";
import { makeTgz, named } from "../support/esp-rom/archive.ts";
import { makeParts } from "../support/esp-rom/image.ts";
import { plugInSimulatedChip } from "../support/esp-rom/simulated-chip.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { openPty } from "../support/pty/pty.ts";

const WALK_MS = 240_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Running {
  child: ChildProcess;
  out: ConsoleLines;
  error: ConsoleLines;
}

/** A clone, and `coseflow` in it. */
async function useClone() {
  const { cwd, env, program, remove } = await makeClone("first-board");
  cleanUp.push(remove);

  function start(...args: string[]): Running {
    const child = spawn(process.execPath, [program, ...args], {
      ...{ cwd, env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, error] = [createConsoleLines(), createConsoleLines()];
    createInterface({ input: child.stdout }).on("line", out.take);
    createInterface({ input: child.stderr }).on("line", error.take);
    cleanUp.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    });
    return { child, out, error };
  }

  /** A command to its end; its results. */
  async function run(...args: string[]): Promise<string[]> {
    const { child, out, error } = start(...args);
    const [code] = await once(child, "close");
    expect(code, `${args}\n${error.lines.join("\n")}`).toBe(0);
    return out.lines;
  }

  return { cwd, start, run };
}

type Clone = Awaited<ReturnType<typeof useClone>>;

/** Resolves with the line; rejects with all that was shown when the command ends without it. */
async function shows({ child, out, error }: Running, of: ConsoleLines, pattern: RegExp) {
  const ended = once(child, "close").then(() => {
    const all = [...out.lines, ...error.lines].join("\n");
    throw new Error(`command, expected ${pattern}, got:\n${all}`);
  });
  return of.lines[(await Promise.race([of.line(pattern), ended])) - 1] as string;
}

interface Chip {
  path: string;
}

/** From a cloud that runs to the first reading that it shows. */
async function walk(
  { start, run }: Clone,
  broker: string,
  board: { name: string; init: string[]; flash: string[]; reading: string },
  plugIn: () => Promise<Chip>,
): Promise<void> {
  await run("ca", "init");
  const serve = start("serve", "--broker", broker, "--json");
  await shows(serve, serve.error, /"connected"/);

  const files = await run("init", board.name, ...board.init, "--broker", broker);
  expect(files.map((file) => file.replace(/^.*\//, ""))).toEqual([
    `${board.name}.json`,
    `${board.name}.secrets.json`,
  ]);
  const chip = await plugIn();
  const flashed = await run("flash", board.name, ...board.flash, "--port", chip.path);
  const [, register = ""] = /^register it: coseflow (.*)$/m.exec(flashed.join("\n")) ?? [];
  const [keyId] = await run(...register.split(" "), "--name", "first");
  expect(flashed).toContain(`coseflow on ${board.name}, device ${keyId}`);

  const monitor = start("monitor", "--port", chip.path);
  await shows(monitor, monitor.out, /^state: streaming$/);
  const shown = await shows(serve, serve.out, new RegExp(`"name":"${board.reading}"`));
  expect(JSON.parse(shown)).toMatchObject({ device: "first", value: expect.any(Number) });

  monitor.child.kill("SIGINT");
  expect(await once(monitor.child, "exit")).toEqual([0, null]);
}

async function startBroker(): Promise<string> {
  const mosquitto = await startMosquitto();
  cleanUp.push(() => mosquitto.close());
  return `mqtt://${mosquitto.host}:${mosquitto.port}`;
}

describe("a first board, in the simulator behind the loader of an ESP32-C3", () => {
  it("is flashed, watched, and its readings arrive", { timeout: WALK_MS }, async () => {
    const broker = await startBroker();
    const clone = await useClone();
    const image = join(clone.cwd, "espruino.tgz");
    writeFileSync(image, makeTgz(named(makeParts())));
    const password = join(clone.cwd, "wifi.txt");
    writeFileSync(password, "the password of it\n");
    await walk(
      clone,
      broker,
      {
        name: "greenhouse",
        init: "--like esp32-c3-supermini --sensor sht3x:1 --wifi home --wifi-password-file"
          .split(" ")
          .concat(password),
        flash: ["--image", image],
        reading: "temperature",
      },
      async () => {
        const file = join(clone.cwd, "boards", "greenhouse.json");
        const chip = await plugInSimulatedChip(file, join(clone.cwd, "chip"));
        cleanUp.push(chip.unplug, chip.powerOff);
        return chip;
      },
    );
  });
});

describe("coseflow flash, where the bundle has to be built", () => {
  it("refuses a board file with faults, and names them", { timeout: WALK_MS }, async () => {
    const { cwd, start } = await useClone();
    writeFileSync(join(cwd, "boards", "broken.json"), '{ "name": "broken", "chip": "esp32-c4" }');
    const { child, out, error } = start("flash", "broken", "--dry-run", "--json");
    expect(await once(child, "close")).toEqual([1, null]);
    expect(JSON.parse(out.lines.at(-1) as string)).toMatchObject({
      ...{ kind: "failed", step: "files", next: "correct the board file" },
      reason: expect.stringContaining("esp32-c3"),
    });
    expect(error.lines).toEqual(["broken: building the bundle"]);
  });
});

describeEspruino("a first board, in Espruino itself", () => {
  it("is flashed, watched, and its readings arrive", { timeout: WALK_MS }, async () => {
    const broker = await startBroker();
    const clone = await useClone();
    await walk(
      clone,
      broker,
      { name: "desk", init: ["--like", "linux", "--sensor", "host:1"], flash: [], reading: "load" },
      async () => {
        const cwd = join(clone.cwd, "chip");
        mkdirSync(cwd);
        const pty = await openPty({
          command: [resolve(process.env.ESPRUINO as string)],
          cwd,
          env: { ...process.env, ESPRUINO_STACK: "20000" },
        });
        cleanUp.push(pty.unplug);
        return pty;
      },
    );
  });
});
