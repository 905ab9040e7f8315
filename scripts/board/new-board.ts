import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { LaunchedBroker } from "../../simulator/launch.ts";
import { repositoryRoot } from "../../simulator/repository.ts";
import { formatFaults } from "./fault.ts";
import { createValidator } from "./validate.ts";

export interface NewSensor {
  driver: string;
  periodSeconds: number;
  qos: 0 | 1;
  pin?: string;
}

/** What `coseflow init` has to know. */
export interface NewBoard {
  name: string;
  /** Text of the ready board that it is like. */
  like: string;
  /** Sensors in place of that board's. */
  sensors: NewSensor[];
  wifi?: { ssid: string; password: string };
  broker: LaunchedBroker;
}

/** Only for who owns it: it holds passwords. */
const SECRET_MODE = 0o600;

/** Writes the two files, neither over one that is there; nothing where the board would not hold. */
export function writeNewBoard(directory: string, plan: NewBoard): string[] {
  const schema = relative(directory, join(repositoryRoot(), "boards", "board.schema.json"));
  const board = {
    ...JSON.parse(plan.like),
    $schema: schema.startsWith(".") ? schema : `./${schema}`,
    name: plan.name,
    sensors: plan.sensors,
  };
  const text = `${JSON.stringify(board, null, 2)}\n`;
  const file = join(directory, `${plan.name}.json`);
  const faults = createValidator()(text, plan.name);
  if (faults.length > 0)
    throw new Error(`nothing is written: ${formatFaults(file, faults).join("; ")}`);
  const secrets = join(directory, `${plan.name}.secrets.json`);
  const settings = {
    brokers: [plan.broker],
    ...(plan.wifi === undefined ? {} : { wifi: [plan.wifi] }),
  };
  for (const path of [file, secrets])
    if (exists(path)) throw new Error(`${path}, expected no such file, got one: it stays as it is`);
  writeNew(secrets, `${JSON.stringify(settings, null, 2)}\n`, SECRET_MODE);
  try {
    writeNew(file, text);
  } catch (error) {
    rmSync(secrets);
    throw error;
  }
  return [file, secrets];
}

/** A file that was not there, whole or not at all. What goes wrong names it: of a full disk the system does not. */
function writeNew(path: string, text: string, mode?: number): void {
  const file = openSync(path, "wx", mode);
  try {
    writeFileSync(file, text);
  } catch (error) {
    rmSync(path);
    throw Object.assign(error as Error, { path });
  } finally {
    closeSync(file);
  }
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
