import { existsSync, statSync } from "node:fs";
import type { Machine } from "../doctor/machine.ts";
import { portProblems } from "../doctor/serial-ports.ts";
import { FlashFailure } from "../flash/failure.ts";
import type { Port } from "../flash/port.ts";
import { createNodePort } from "./node-port.ts";
import { findPorts, usbIdOf } from "./ports.ts";

/** Linux's number of /dev/null and its kind. */
const MEMORY_DEVICES = 1;

/** Whether it may be a terminal: what is no device of characters is none, and neither is /dev/null. */
function isTerminal(path: string): boolean {
  const stats = statSync(path);
  return stats.isCharacterDevice() && stats.rdev >> 8 !== MEMORY_DEVICES;
}

/** Why a port cannot be opened, as a person needs it. */
export function explainPort(path: string, machine: Machine, error: unknown): FlashFailure {
  if (!existsSync(path))
    return new FlashFailure(
      "port",
      `there is no ${path}`,
      "plug the board in, and see coseflow ports",
    );
  if (!isTerminal(path))
    return new FlashFailure(
      "port",
      `${path} is no serial port`,
      "name one of those that coseflow ports lists",
    );
  const [problem] = portProblems(path, machine);
  if (problem !== undefined) {
    const { text, cause = "", fix = "" } = problem;
    return new FlashFailure("port", cause === "" ? text : `${text}: ${cause}`, fix);
  }
  const message = error instanceof Error ? error.message : String(error);
  if (/lock/i.test(message))
    return new FlashFailure(
      "port",
      `${path} is in use by another program`,
      "close it, and run it again",
    );
  return new FlashFailure("port", `${path} cannot be opened (${message})`, "coseflow doctor");
}

function usbInfo(path: string, machine: Machine): ReturnType<Port["getInfo"]> {
  const [vendor, product] = (usbIdOf(path, machine) ?? "")
    .split(":")
    .map((id) => Number.parseInt(id, 16));
  if (!vendor || !product) return {};
  return { usbVendorId: vendor, usbProductId: product };
}

/** A port of this machine that says what is wrong when it does not open. */
export function machinePort(path: string, machine: Machine): Port {
  const port = createNodePort(path, usbInfo(path, machine));
  const open = port.open;
  port.open = async (options) => {
    try {
      await open(options);
    } catch (error) {
      throw explainPort(path, machine, error);
    }
  };
  return port;
}

/** The port that was named, or the only one there is. */
export function choosePort(given: string | undefined, machine: Machine): string {
  if (given !== undefined) return given;
  const ports = findPorts(machine);
  const [only] = ports;
  if (only === undefined)
    throw new FlashFailure(
      "port",
      "no board is plugged in",
      "plug it in with a cable that has data lines, or see coseflow doctor",
    );
  if (ports.length > 1)
    throw new FlashFailure(
      "port",
      `there are ${ports.length} ports: ${ports.map(({ path }) => path).join(", ")}`,
      "name one by --port",
    );
  return only.path;
}
