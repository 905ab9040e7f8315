/** A simulated board that waits for a network, at the far end of a terminal. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { makePacket } from "../../../protocol/improv.ts";
import { type BoardFiles, type LaunchedDevice, launchDevice } from "../../../simulator/launch.ts";
import { bundleBoard, temporaryDirectory } from "../../support/built.ts";
import { openPty } from "../../support/pty/pty.ts";
import { makeTrust } from "../../support/trust.ts";

export const PASSWORD = "hush-hush";
export const AIR = [
  { ssid: "desk", password: PASSWORD },
  { ssid: "caf\xc3\xa9", password: "" },
];
const BOARD = { name: "desk", network: "wifi", sensors: [], queue: { readings: 8 } };

export type Bundles = Map<string, BoardFiles>;

/** With an open and with a locked console. */
export async function makeBundles(...consoles: string[]): Promise<[Bundles, () => Promise<void>]> {
  const [directory, remove] = await temporaryDirectory("wifi");
  const bundles: Bundles = new Map();
  for (const console of consoles) {
    await mkdir(join(directory, console));
    const board = { ...BOARD, console } as never;
    bundles.set(console, await bundleBoard(join(directory, console), board));
  }
  return [bundles, remove];
}

export async function plugInUnset(
  bundles: Bundles,
  cleanUp: (() => unknown)[],
  settings: object = {},
  console = "open",
  flash?: string,
) {
  const [made, remove] = await temporaryDirectory("wifi-board");
  cleanUp.push(remove);
  const directory = flash ?? made;
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
  return { path: pty.path, lines, device, directory };
}
