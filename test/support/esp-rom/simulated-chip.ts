import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LaunchedDevice, launchDevice } from "../../../simulator/launch.ts";
import { type PtyBoard, plugInBoard } from "./pty-board.ts";

export interface SimulatedChip extends PtyBoard {
  powerOff(): void;
}

/** The settings as they were flashed: text in UTF-8, one character a byte. */
const textOf = (file: string | undefined) => Buffer.from(file ?? "", "latin1").toString("utf8");

/**
 * A chip on a cable that does what was flashed: behind the loader and the console that writes
 * files, the simulator runs the bundle and settings that came over the cable, and nothing else.
 */
export async function plugInSimulatedChip(
  boardFile: string,
  directory: string,
): Promise<SimulatedChip> {
  let device: LaunchedDevice | undefined;
  mkdirSync(directory, { recursive: true });
  const chip = await plugInBoard({
    inLoader: true,
    isKeyless: true,
    started(files) {
      device?.powerOff();
      const bundle = join(directory, "flashed.js");
      writeFileSync(bundle, Buffer.from(files.get(".bootcde") ?? "", "latin1"));
      const settings = JSON.parse(textOf(files.get("coseflow.json")));
      device = launchDevice({
        files: { board: boardFile, bundle },
        directory: join(directory, "device"),
        settings,
        console: (line) => chip.print(`${line}\r\n`),
        accessPoints: settings.wifi,
      });
      return [];
    },
  });
  return { ...chip, powerOff: () => device?.powerOff() };
}
