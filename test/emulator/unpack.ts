/** A board as it is unpacked: the bundle in the flash of an interpreter, a broker and a cloud beside it. */
import { readFileSync } from "node:fs";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, type Receiver } from "../support/serve.ts";
import { boot, type Interpreter, writeFlash } from "./espruino.ts";

type CleanUp = (() => unknown)[];

export interface Unpacked {
  directory: string;
  broker: Mosquitto;
  /** Not started yet. */
  receiver: Receiver;
}

/** `settings` beside broker and trust, a function where the cloud has to be asked for them; `files` beside the bundle. */
export async function unpack(
  cleanUp: CleanUp,
  board: { name: string },
  settings: object | ((receiver: Receiver) => Promise<object>) = {},
  files: Record<string, string | Uint8Array> = {},
): Promise<Unpacked> {
  const [directory, remove] = await temporaryDirectory("emulator");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  const own = typeof settings === "function" ? await settings(receiver) : settings;
  const { bundle } = await bundleBoard(directory, board);
  await writeFlash(directory, {
    ...files,
    ".bootcde": readFileSync(bundle),
    "coseflow.json": JSON.stringify({
      brokers: [{ host: broker.host, port: broker.port }],
      ...receiver.trust,
      ...own,
    }),
  });
  return { directory, broker, receiver };
}

export function powerOn(
  cleanUp: CleanUp,
  { directory }: Unpacked,
  environment?: NodeJS.ProcessEnv,
): Interpreter {
  const device = boot(directory, environment);
  cleanUp.push(device.powerOff);
  return device;
}

/** Switches it on and registers the key that it prints; the key's hexadecimal digits. */
export async function register(
  cleanUp: CleanUp,
  unpacked: Unpacked,
  environment?: NodeJS.ProcessEnv,
): Promise<[Interpreter, string]> {
  const device = powerOn(cleanUp, unpacked, environment);
  return [device, await registerAt(unpacked, device)];
}

/** Registers the key that a device prints. */
export async function registerAt({ receiver }: Unpacked, device: Interpreter): Promise<string> {
  const [, key] = await device.line(/--key ([0-9a-f]{130})/);
  const args = ["--key", key as string, "--name", "emulated"];
  await receiver.command("device", "register", ...args);
  return key as string;
}

/** What an interpreter says of faults in the program. */
export const faultsOf = ({ lines }: Interpreter): string[] =>
  lines.filter((line) => /Uncaught|interpreter error|OUT OF MEMORY/.test(line));
