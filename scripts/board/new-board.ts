import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { LaunchedBroker } from "../../simulator/launch.ts";
import { repositoryRoot } from "../../simulator/repository.ts";
import { formatFault } from "./fault.ts";
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
    throw new Error(
      `nothing is written: ${faults.map((fault) => formatFault(file, fault)).join("; ")}`,
    );
  const secrets = join(directory, `${plan.name}.secrets.json`);
  const settings = {
    brokers: [plan.broker],
    ...(plan.wifi === undefined ? {} : { wifi: [plan.wifi] }),
  };
  for (const path of [file, secrets])
    if (exists(path)) throw new Error(`${path}, expected no such file, got one: it stays as it is`);
  writeFileSync(secrets, `${JSON.stringify(settings, null, 2)}\n`, {
    flag: "wx",
    mode: SECRET_MODE,
  });
  writeFileSync(file, text, { flag: "wx" });
  return [file, secrets];
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
