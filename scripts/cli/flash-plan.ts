import { existsSync } from "node:fs";
import { join } from "node:path";
import { readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import { repositoryRoot } from "../../simulator/repository.ts";
import { readBytes, readText } from "../board/read-file.ts";
import { FlashFailure } from "../flash/failure.ts";
import type { Plan } from "../flash/flash-board.ts";
import { readImage } from "../flash/image.ts";
import { encodeSettings } from "../flash/settings.ts";
import { readImageFiles } from "./flash-image.ts";

/** What `coseflow flash` needs of a board file. */
interface BoardFile {
  chip?: string;
  flashMegabytes?: number;
  network?: string;
  console?: string;
}

export interface SettingsFile {
  path: string;
  settings: Record<string, unknown>;
}

export interface BoardFiles extends Omit<Plan, "image" | "settings"> {
  flashMegabytes: number;
  needsWifi: boolean;
  /** Undefined where there is none: the settings on the board stay. */
  file: SettingsFile | undefined;
}

export interface PlanOptions {
  board: string;
  image: string | undefined;
  /** Undefined: the secrets file beside the board file, where there is one. */
  settings: string | undefined;
  keys: string;
}

const DEFAULT_MEGABYTES = 4;

function readJson(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readText(path));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    // The error of JSON.parse quotes what it read, which may be a password.
  }
  throw new FlashFailure("files", `${path} holds no JSON object`, "correct the file");
}

function readBundle(board: string): Uint8Array {
  const path = join(repositoryRoot(), "build", "firmware", `${board}.js`);
  if (existsSync(path)) return new Uint8Array(readBytes(path));
  throw new FlashFailure("files", `there is no bundle ${path}`, "npm run build");
}

/** The settings with the certificates that the device is to trust, where the file has none. */
function readSettings(options: Omit<PlanOptions, "image">): SettingsFile | undefined {
  const usual = join(repositoryRoot(), "boards", `${options.board}.secrets.json`);
  const path = options.settings ?? (existsSync(usual) ? usual : undefined);
  if (path === undefined) return undefined;
  const settings = readJson(path);
  const hasTrust = settings.anchor !== undefined && settings.cloudCertificate !== undefined;
  return {
    path,
    settings: hasTrust ? settings : { ...readDeviceTrust(options.keys), ...settings },
  };
}

/** What the files of a board say, before an image is chosen. */
export function readBoardFiles(options: Omit<PlanOptions, "image">): BoardFiles {
  const path = join(repositoryRoot(), "boards", `${options.board}.json`);
  const { chip, flashMegabytes = DEFAULT_MEGABYTES, ...board } = readJson(path) as BoardFile;
  if (typeof chip !== "string")
    throw new FlashFailure(
      "files",
      `boards/${options.board}.json names no chip`,
      'add "chip", such as "esp32-c3"',
    );
  return {
    board: options.board,
    chip,
    flashMegabytes,
    needsWifi: board.network === "wifi",
    isLocked: board.console === "locked",
    bundle: readBundle(options.board),
    file: readSettings(options),
  };
}

/** Everything that is to be on the board, read and judged before the board is touched. */
export function makePlan(options: PlanOptions): Plan {
  const { flashMegabytes, needsWifi, file, ...plan } = readBoardFiles(options);
  return {
    ...plan,
    settings:
      file &&
      encodeSettings(file.path, file.settings, needsWifi && file.settings.wifi !== undefined),
    image:
      options.image === undefined
        ? undefined
        : readImage(readImageFiles(options.image), { chip: plan.chip, flashMegabytes }),
  };
}
