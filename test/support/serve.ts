import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { initKeys, readCloudPublicKey } from "../../cloud/keys/cloud-keys.ts";
import { type DeviceTrust, readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import { toHex } from "../../protocol/bytes.ts";
import { CLI } from "./built.ts";

export interface StoredLine {
  device: string;
  session: number;
  sequence: number;
  name: string;
  value: number;
}

/** `coseflow serve` in a process of its own, to be killed. */
export interface Receiver {
  /** Called for each line of its standard output. */
  onLine: (line: StoredLine) => void;
  /** What it logged, all starts together. */
  log: string[];
  database: string;
  cloudPublicKey: string;
  /** What its devices are given. */
  trust: DeviceTrust;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** A one-off command of the same cloud, such as `device register`. */
  command(...args: string[]): Promise<string>;
}

export async function createReceiver(directory: string, brokerUrl: string): Promise<Receiver> {
  const keys = join(directory, "keys");
  const database = join(directory, "cloud.db");
  await initKeys(keys);
  let child: ChildProcess | undefined;

  const receiver: Receiver = {
    onLine: () => {},
    log: [],
    database,
    cloudPublicKey: toHex(readCloudPublicKey(keys)),
    trust: readDeviceTrust(keys),
    async start() {
      const args = ["serve", "--broker", brokerUrl, "--keys", keys, "--db", database, "--json"];
      const started = spawn(process.execPath, [CLI, ...args]);
      child = started;
      createInterface({ input: started.stdout }).on("line", (line) =>
        receiver.onLine(JSON.parse(line) as StoredLine),
      );
      await new Promise<void>((resolve, reject) => {
        createInterface({ input: started.stderr }).on("line", (line) => {
          receiver.log.push(line);
          if (line.includes('"connected"')) resolve();
        });
        started.once("exit", (code) => reject(new Error(`serve ended: ${code} ${receiver.log}`)));
      });
    },
    async kill() {
      const running = child as ChildProcess;
      running.kill("SIGKILL");
      if (running.exitCode === null && running.signalCode === null) await once(running, "exit");
    },
    async stop() {
      const running = child as ChildProcess;
      running.kill("SIGTERM");
      if (running.exitCode === null && running.signalCode === null) await once(running, "exit");
      return running.exitCode;
    },
    async command(...args) {
      const all = [CLI, ...args, "--db", database];
      return (await promisify(execFile)(process.execPath, all)).stdout;
    },
  };
  return receiver;
}

/** Resolves once `done` says so, asked after every line the receiver prints. */
export function linesUntil(receiver: Receiver, done: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    receiver.onLine = () => {
      if (!done()) return;
      receiver.onLine = () => {};
      resolve();
    };
  });
}
