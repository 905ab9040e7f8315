import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Machine } from "../doctor/machine.ts";
import { listSerialPorts, portProblems } from "../doctor/serial-ports.ts";
import { chipOf } from "../doctor/usb-chips.ts";

/** A serial port with what is known of it without opening it. */
export interface FoundPort {
  path: string;
  /** Vendor and product of the USB device, as "303a:1001"; undefined where it is none. */
  usb: string | undefined;
  /** The USB serial chip, or the chip of the board where that has USB of its own. */
  chip: string | undefined;
  /** Why it cannot be opened now, and what to do about it. */
  problems: { text: string; cause: string; fix: string }[];
}

/** How far up a port's place in the kernel's tree its USB device is at most. */
const LEVELS = 4;

/** Vendor and product of the USB device that a port belongs to. */
export function usbIdOf(path: string, { sys }: Machine): string | undefined {
  const link = join(sys, "class", "tty", basename(path), "device");
  if (!existsSync(link)) return undefined;
  let folder = realpathSync(link);
  for (let level = 0; level < LEVELS; level++) {
    const [vendor, product] = ["idVendor", "idProduct"].map((name) => join(folder, name));
    if (existsSync(vendor as string) && existsSync(product as string))
      return [vendor, product]
        .map((file) => readFileSync(file as string, "utf8").trim())
        .join(":")
        .toLowerCase();
    folder = dirname(folder);
  }
  return undefined;
}

export function findPorts(machine: Machine): FoundPort[] {
  return listSerialPorts(machine.dev).map((path) => {
    const usb = usbIdOf(path, machine);
    return {
      path,
      usb,
      chip: usb === undefined ? undefined : chipOf(usb),
      problems: portProblems(path, machine).map(({ text, cause = "", fix = "" }) => ({
        text,
        cause,
        fix,
      })),
    };
  });
}
