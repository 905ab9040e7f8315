import { mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Machine } from "../../../scripts/doctor/machine.ts";
import { describeProcesses } from "../../../scripts/doctor/processes.ts";
import { choosePort, machinePort } from "../../../scripts/serial/open-port.ts";
import { findPorts } from "../../../scripts/serial/ports.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { machineWith } from "../doctor/bench.ts";

const temporary = temporaryDirectories();

/** A machine with ports, each behind a USB device as the kernel's tree has it. */
function machineWithPorts(ports: Record<string, string | undefined>): Machine {
  const root = temporary();
  const dev = join(root, "dev");
  const sys = join(root, "sys");
  mkdirSync(dev, { recursive: true });
  mkdirSync(join(root, "proc"));
  for (const [name, usb] of Object.entries(ports)) {
    writeFileSync(join(dev, name), "");
    if (usb === undefined) continue;
    const device = join(sys, "devices", "usb1", `1-${name}`);
    const side = join(device, "1-2:1.0", name);
    const [vendor = "", product = ""] = usb.split(":");
    mkdirSync(side, { recursive: true });
    writeFileSync(join(device, "idVendor"), `${vendor}\n`);
    writeFileSync(join(device, "idProduct"), `${product}\n`);
    mkdirSync(join(sys, "class", "tty", name), { recursive: true });
    symlinkSync(side, join(sys, "class", "tty", name, "device"));
  }
  return machineWith({
    dev,
    sys,
    proc: join(root, "proc"),
    user: { name: "ada", uid: 0, groups: [] },
  });
}

describe("the ports of a machine", () => {
  it("are listed with the chip behind each", () => {
    const machine = machineWithPorts({
      ttyACM0: "303A:1001",
      ttyUSB0: "10c4:ea60",
      ttyUSB1: "dead:beef",
      ttyUSB2: undefined,
    });
    expect(findPorts(machine).map(({ usb, chip }) => [usb, chip])).toEqual([
      ["303a:1001", "ESP32 with USB of its own (USB-JTAG)"],
      ["10c4:ea60", "CP2102/CP2104"],
      ["dead:beef", undefined],
      [undefined, undefined],
    ]);
  });

  it("that are in use name the process that holds them", () => {
    const machine = { ...machineWithPorts({ ttyUSB0: "10c4:ea60" }), proc: "/proc" };
    openSync(join(machine.dev, "ttyUSB0"), "r");
    const [problem] = findPorts(machine)[0]?.problems ?? [];
    expect(problem?.text).toContain(`(process ${process.pid})`);
    expect(problem?.fix).toContain(`kill ${process.pid}`);
    const many = Array.from({ length: 7 }, (_, pid) => ({ pid, name: "cat" }));
    expect(describeProcesses(many)).toMatch(/cat \(process 4\), 2 more$/);
  });
});

describe("the port of a command", () => {
  it("is the one that was named, or the only one", () => {
    const machine = machineWithPorts({ ttyUSB0: "10c4:ea60" });
    expect(choosePort("/dev/other", machine)).toBe("/dev/other");
    expect(choosePort(undefined, machine)).toBe(join(machine.dev, "ttyUSB0"));
  });

  it("is asked for where there are several, and missed where there is none", () => {
    const two = machineWithPorts({ ttyUSB0: "10c4:ea60", ttyUSB1: "10c4:ea60" });
    expect(() => choosePort(undefined, two)).toThrow(/2 ports: .*ttyUSB0, .*name one by --port/);
    expect(() => choosePort(undefined, machineWithPorts({}))).toThrow(/no board is plugged in/);
  });

  it("knows its USB device, by which a chip's own USB is reset in its own way", () => {
    const machine = machineWithPorts({ ttyACM0: "303a:1001" });
    const port = machinePort(join(machine.dev, "ttyACM0"), machine);
    expect(port.getInfo()).toEqual({ usbVendorId: 0x303a, usbProductId: 0x1001 });
  });

  it("that is a file, no port, is said not to open", async () => {
    const machine = machineWithPorts({ ttyUSB0: undefined });
    const port = machinePort(join(machine.dev, "ttyUSB0"), machine);
    await expect(port.open({ baudRate: 115_200 })).rejects.toMatchObject({
      step: "port",
      reason: expect.stringMatching(/ttyUSB0 is no serial port$/),
    });
    // Everybody holds it.
    await expect(machinePort("/dev/null", machine).open({ baudRate: 115_200 })).rejects.toThrow(
      "/dev/null is no serial port; next: name one of those that coseflow ports lists",
    );
  });
});
