import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { describe } from "vitest";

/**
 * Espruino itself, a Linux build with devcrypto (native/README.md says how it is made),
 * by the path in the environment variable ESPRUINO. Nothing here fetches or builds it.
 */
const ESPRUINO = process.env.ESPRUINO && resolve(process.env.ESPRUINO);

/** `describe` for tests in the interpreter; skipped, and saying why, where there is none. */
export function describeEspruino(name: string, body: () => void): void {
  if (ESPRUINO && existsSync(ESPRUINO)) describe(name, body);
  else describe.skip(`${name} (skipped: set ESPRUINO to an Espruino with devcrypto)`, body);
}

/** Stack in bytes, for builds that read it here; about what an ESP32-C3 has, in 64-bit frames. */
const ENVIRONMENT = { ...process.env, ESPRUINO_STACK: "20000" };
/** Long enough for a loaded machine; writing flash takes about a second. */
const WRITE_MS = 30_000;
/** One string must fit into the device's memory, so files are written in pieces. */
const PIECE = 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the interpreter's terminal codes
const TERMINAL = /\x1b\[[0-9;?]*[A-Za-z]|[\r\x07\b]/g;

const cleaned = (line: string) => line.replace(TERMINAL, "").replace(/^>/, "");

function start(
  directory: string,
  args: string[],
  onLine: (line: string) => void,
  environment: NodeJS.ProcessEnv = {},
): ChildProcess {
  // Its stdin stays open: at an end of file the interpreter would spin.
  const env = { ...ENVIRONMENT, ...environment };
  const child = spawn(ESPRUINO as string, args, { cwd: directory, env });
  createInterface({ input: child.stdout }).on("line", (line) => onLine(cleaned(line)));
  return child;
}

/** By its id: on a closed terminal the interpreter would ignore SIGTERM. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

const writer = (files: [name: string, file: string, size: number][]) => `
  ${JSON.stringify(files)}.forEach(function (f) {
    var file = E.openFile(f[1], "r"), storage = require("Storage"), at = 0, piece;
    storage.erase(f[0]);
    while (at < f[2]) {
      piece = file.read(Math.min(${PIECE}, f[2] - at));
      storage.write(f[0], piece, at, f[2]);
      at += piece.length;
    }
    file.close();
  });
  print("flash written");`;

/** Writes files into the flash image of the interpreter in `directory`, made if there is none. */
export async function writeFlash(
  directory: string,
  files: { [name: string]: string | Uint8Array },
): Promise<void> {
  const list: [string, string, number][] = [];
  for (const [name, content] of Object.entries(files)) {
    const file = `flash-${list.length}`;
    await writeFile(join(directory, file), content);
    list.push([name, file, Buffer.byteLength(content)]);
  }
  await runScript(directory, writer(list), /flash written/);
}

/** Runs a script in place of what is in flash, until a line of it matches. */
export async function runScript(
  directory: string,
  script: string,
  pattern: RegExp,
  environment?: NodeJS.ProcessEnv,
): Promise<RegExpExecArray> {
  await writeFile(join(directory, "script.js"), script);
  const lines: string[] = [];
  let child: ChildProcess | undefined;
  const found = new Promise<RegExpExecArray>((resolve, reject) => {
    const fail = () => reject(new Error(`script, expected ${pattern}, got ${lines}`));
    const onLine = (line: string) => {
      lines.push(line);
      const match = pattern.exec(line);
      if (match) resolve(match);
    };
    child = start(directory, ["script.js"], onLine, environment);
    child.once("exit", fail);
    setTimeout(fail, WRITE_MS).unref();
  });
  try {
    return await found;
  } finally {
    await kill(child as ChildProcess);
  }
}

/** An interpreter that has booted from its flash. */
export interface Interpreter {
  pid: number;
  lines: string[];
  /** The first line, also of those before, that matches; rejects when the interpreter ends. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Types a line at the console. */
  type(text: string): void;
  /** What `expression` is, asked on the console. */
  evaluate(expression: string): Promise<unknown>;
  /** The power switch. */
  powerOff(): Promise<void>;
}

export function boot(directory: string, environment?: NodeJS.ProcessEnv): Interpreter {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const onLine = (line: string) => {
    lines.push(line);
    for (const look of [...waiting]) look();
  };
  const child = start(directory, [], onLine, environment);
  child.once("exit", () => {
    for (const look of [...waiting]) look();
  });

  function line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      let next = from;
      function look() {
        for (; next < lines.length; next++) {
          const found = pattern.exec(lines[next] as string);
          if (found === null) continue;
          waiting.delete(look);
          resolve(found);
          return;
        }
        if (child.exitCode === null && child.signalCode === null) return;
        waiting.delete(look);
        reject(new Error(`line, expected ${pattern}, got the end after:\n${lines.join("\n")}`));
      }
      waiting.add(look);
      look();
    });
  }

  function type(text: string): void {
    child.stdin?.write(`${text}\n`);
  }

  let asked = 0;
  return {
    pid: child.pid as number,
    lines,
    line,
    type,
    async evaluate(expression) {
      const mark = `answer ${++asked} `;
      const from = lines.length;
      // In two parts, so that the echo of the command is not taken for the answer.
      type(`print("answer "+"${asked} "+JSON.stringify(${expression}))`);
      const answer = await line(new RegExp(`^${mark}(.*)$`), from);
      return JSON.parse(answer[1] as string);
    },
    powerOff: () => kill(child),
  };
}
