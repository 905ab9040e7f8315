import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bad, type Check, type Finding, ok } from "./check.ts";
import type { Machine } from "./machine.ts";
import { processIds, processName } from "./processes.ts";

/** What boards have between USB and the chip, by vendor:product, with Linux's driver for it. */
const CHIPS: Record<string, { name: string; driver: string }> = {
  "10c4:ea60": { name: "CP2102/CP2104", driver: "cp210x" },
  "10c4:ea70": { name: "CP2105", driver: "cp210x" },
  "1a86:7522": { name: "CH340K", driver: "ch341" },
  "1a86:7523": { name: "CH340", driver: "ch341" },
  "1a86:5523": { name: "CH341", driver: "ch341" },
  "1a86:55d3": { name: "CH343", driver: "cdc_acm" },
  "1a86:55d4": { name: "CH9102", driver: "cdc_acm" },
  "0403:6001": { name: "FT232R", driver: "ftdi_sio" },
  "0403:6010": { name: "FT2232", driver: "ftdi_sio" },
  "0403:6011": { name: "FT4232", driver: "ftdi_sio" },
  "0403:6014": { name: "FT232H", driver: "ftdi_sio" },
  "0403:6015": { name: "FT231X", driver: "ftdi_sio" },
  "303a:1001": { name: "ESP32 with USB of its own (USB-JTAG)", driver: "cdc_acm" },
};

/** What a vendor:product is called, where it is of a board. */
export function chipOf(id: string): string | undefined {
  return CHIPS[id]?.name;
}

/** The braille service takes chips with the numbers of its displays for itself. */
const BRAILLE = "brltty";

function readId(device: string, name: string): string | undefined {
  const path = join(device, name);
  return existsSync(path) ? readFileSync(path, "utf8").trim().toLowerCase() : undefined;
}

/** The ports that the kernel made of a device: below its interfaces, "1-2:1.0". */
function portsOf(devices: string, device: string): string[] {
  const interfaces = readdirSync(devices).filter((name) => name.startsWith(`${device}:`));
  return interfaces.flatMap((name) => {
    const acm = join(devices, name, "tty");
    const below = [
      ...readdirSync(join(devices, name)),
      ...(existsSync(acm) ? readdirSync(acm) : []),
    ];
    return below.filter((entry) => /^tty(?:USB|ACM)\d+$/.test(entry));
  });
}

/** Which USB serial chips are plugged in, and whether each became a port. */
export function usbChipsCheck({ sys, proc }: Machine): Check {
  const devices = join(sys, "bus", "usb", "devices");

  function noPort(name: string, id: string, driver: string): Finding {
    const text = `${name} (${id}) is plugged in, but there is no port for it`;
    if (processIds(proc).some((pid) => processName(proc, pid) === BRAILLE))
      return bad(
        text,
        "the braille service takes such chips for itself",
        `sudo apt-get remove -y ${BRAILLE}, then plug the board in again`,
      );
    return bad(
      text,
      `the kernel's driver ${driver} is not loaded, or not in this kernel`,
      `sudo modprobe ${driver}, then plug the board in again`,
    );
  }

  function look(device: string): Finding | undefined {
    const vendor = readId(join(devices, device), "idVendor");
    const id = `${vendor}:${readId(join(devices, device), "idProduct")}`;
    const chip = CHIPS[id];
    if (chip === undefined) return undefined;
    const ports = portsOf(devices, device);
    return ports.length > 0
      ? ok(`${chip.name} (${id}) is ${ports.join(", ")}`)
      : noPort(chip.name, id, chip.driver);
  }

  return {
    name: "usb chip",
    async run() {
      const found = existsSync(devices)
        ? readdirSync(devices)
            .map(look)
            .filter((finding) => finding !== undefined)
        : [];
      if (found.length > 0) return found;
      return [ok("no chip of a board is plugged in (if one is: a cable for charging has no data)")];
    },
  };
}
