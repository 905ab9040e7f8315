import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";

const HOST = "127.0.0.1";
/** Long enough for a loaded machine; a broker that cannot start ends much sooner. */
const START_MS = 60_000;

/** Mosquitto forgets a SIGTERM that comes between its listening and its loop: it is told again. */
const AGAIN_MS = 500;

export interface MosquittoOptions {
  /** Further lines of mosquitto.conf, after the listener, anonymous access and persistence. */
  config?: string;
  /** False: only users with a password. */
  isAnonymous?: boolean;
}

export interface Mosquitto {
  url: string;
  host: string;
  port: number;
  /** Holds mosquitto.conf and the persistence file. */
  directory: string;
  /** What the broker has written to its log so far. */
  log(): string;
  /**
   * Ends the process and keeps the directory: SIGTERM (the default) saves the
   * sessions, SIGKILL loses what was not saved.
   */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Stands still, its connections open, until it is told to go on. */
  pause(): void;
  resume(): void;
  /** Reads its passwords and access list anew; resolves once it has. */
  reload(): Promise<void>;
  /** Ends the process if it runs, then starts it again on the same port and directory. */
  restart(): Promise<void>;
  /** Ends the process and removes the directory. */
  close(): Promise<void>;
}

/** Path of the mosquitto program; /usr/sbin is where Debian puts it, often outside PATH. */
export function findMosquitto(): string {
  const folders = (process.env.PATH ?? "").split(delimiter).concat("/usr/sbin", "/usr/local/sbin");
  for (const folder of folders) {
    const path = join(folder, "mosquitto");
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(
    "mosquitto, expected in PATH or /usr/sbin, got nothing: install the Debian package mosquitto",
  );
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  const again = setInterval(() => child.kill(signal), AGAIN_MS);
  await exited;
  clearInterval(again);
}

/** A real broker of its own: free port, temporary directory, nothing shared with the machine's. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const program = findMosquitto();
  const directory = await mkdtemp(join(tmpdir(), "mosquitto-"));
  const port = await freePort();
  const configFile = join(directory, "mosquitto.conf");
  const lines = [
    `listener ${port} ${HOST}`,
    `allow_anonymous ${options.isAnonymous ?? true}`,
    "persistence true",
    `persistence_location ${directory}/`,
    "log_dest stderr",
    options.config ?? "",
  ];
  // Started by root it would change to a user who cannot write to the directory.
  if (process.getuid?.() === 0) lines.splice(1, 0, "user root");
  await writeFile(configFile, `${lines.join("\n")}\n`);

  let child: ChildProcess | undefined;
  let logged = "";
  const killAtExit = () => child?.kill("SIGKILL");

  async function start(): Promise<void> {
    const started = spawn(program, ["-c", configFile], { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    started.stderr.on("data", (text) => {
      logged += text;
    });
    const deadline = Date.now() + START_MS;
    while (!(await answers(port))) {
      if (started.exitCode !== null || Date.now() > deadline) {
        await end(started, "SIGKILL");
        throw new Error(`mosquitto, expected to listen on port ${port}, got:\n${logged}`);
      }
      await delay(10);
    }
  }

  async function stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (child) await end(child, signal);
    child = undefined;
  }

  async function close(): Promise<void> {
    process.removeListener("exit", killAtExit);
    await stop();
    await rm(directory, { recursive: true, force: true });
  }

  process.once("exit", killAtExit);
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `mqtt://${HOST}:${port}`,
    host: HOST,
    port,
    directory,
    log: () => logged,
    stop,
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    reload: async () => {
      const before = logged.length;
      child?.kill("SIGHUP");
      while (!logged.includes("Reloading config.", before)) await delay(10);
    },
    restart: async () => {
      await stop();
      await start();
    },
    close,
  };
}
