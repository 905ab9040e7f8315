import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { serialPortsCheck } from "../../../scripts/doctor/serial-ports.ts";
import { udevCheck } from "../../../scripts/doctor/udev.ts";
import { usbChipsCheck } from "../../../scripts/doctor/usb-chips.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { machineWith, problemOf, resultsOf, userIn } from "./bench.ts";

const temporary = temporaryDirectories();
const DIALOUT = 20;

function write(path: string, content: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** A machine with one port, of root and a group: what only root can make, the test makes as root. */
function machineWithPort({ mode = 0o660, gid = DIALOUT, members = "" } = {}) {
  const root = temporary();
  const port = write(join(root, "dev", "ttyUSB0"), "");
  chmodSync(port, mode);
  chownSync(port, process.getuid?.() ?? 0, gid);
  write(join(root, "etc", "group"), `root:x:0:\ndialout:x:${DIALOUT}:${members}\n`);
  return { port, machine: machineWith({ dev: join(root, "dev"), etc: join(root, "etc") }) };
}

describe.runIf(process.getuid?.() === 0)("permission of a serial port", () => {
  it("is there for members of its group", async () => {
    const { machine } = machineWithPort();
    const check = serialPortsCheck({ ...machine, user: userIn(DIALOUT) });
    expect(await resultsOf(check)).toEqual(["ok"]);
  });

  it("is missed by others, with the command that gives it", async () => {
    const { machine, port } = machineWithPort();
    expect(await problemOf(serialPortsCheck({ ...machine, user: userIn() }))).toEqual({
      result: "fail",
      text: `${port}: ada may not use it`,
      cause: "it belongs to the group dialout",
      fix: "sudo usermod -aG dialout ada, then log out and in again",
    });
  });

  it("is missed by a member whose session is older than the membership", async () => {
    const { machine } = machineWithPort({ members: "bob,ada" });
    const { fix } = await problemOf(serialPortsCheck({ ...machine, user: userIn() }));
    expect(fix).toBe("log out and in again");
  });

  it.each([[{ gid: 0 }], [{ mode: 0o600 }], [{ gid: 4711 }]])(
    "is missed where no group has it: %j",
    async (options) => {
      const { machine } = machineWithPort(options);
      const { fix } = await problemOf(serialPortsCheck({ ...machine, user: userIn() }));
      expect(fix).toMatch(/^sudo chgrp dialout .*ttyUSB0 && sudo chmod 660/);
    },
  );
});

describe("a serial port in use", () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill();
      await once(child, "exit");
    }
  });

  it("is told with the process that has it", async () => {
    const dev = temporary();
    const port = write(join(dev, "ttyACM0"), "");
    const file = openSync(port, "r");
    const child = spawn("sleep", ["60"], { stdio: [file, "ignore", "ignore"] });
    closeSync(file);
    children.push(child);
    await once(child, "spawn");
    const check = serialPortsCheck(machineWith({ dev }));
    const { text, fix } = await problemOf(check);
    expect(text).toBe(`${port}: in use by sleep (process ${child.pid})`);
    expect(fix).toBe(`close it, or: kill ${child.pid}`);
    child.kill();
    await once(child, "exit");
    children.pop();
    expect(await resultsOf(check)).toEqual(["ok"]);
  });

  it("by ModemManager has a remedy of its own", async () => {
    const dev = temporary();
    const port = write(join(dev, "ttyACM0"), "");
    const proc = temporary();
    write(join(proc, "77", "comm"), "ModemManager\n");
    mkdirSync(join(proc, "77", "fd"));
    symlinkSync(port, join(proc, "77", "fd", "5"));
    const { fix } = await problemOf(serialPortsCheck(machineWith({ dev, proc })));
    expect(fix).toBe("sudo systemctl disable --now ModemManager");
  });

  it("is none where there is no port", async () => {
    expect(await resultsOf(serialPortsCheck(machineWith({ dev: temporary() })))).toEqual(["ok"]);
  });
});

describe("usb chip", () => {
  /** A tree as the kernel has it, with one device. */
  function sysWith(id: string, port: string | undefined): string {
    const sys = temporary();
    const devices = join(sys, "bus", "usb", "devices");
    const [vendor, product] = id.split(":");
    write(join(devices, "1-2", "idVendor"), `${vendor}\n`);
    write(join(devices, "1-2", "idProduct"), `${product}\n`);
    write(join(devices, "1-2:1.0", "bInterfaceClass"), "ff\n");
    if (port) write(join(devices, "1-2:1.0", port, "uevent"), "");
    return sys;
  }

  it.each([
    ["10c4:ea60", "ttyUSB0", /CP2102.* is ttyUSB0/],
    ["1a86:7523", "ttyUSB3", /CH340 .* is ttyUSB3/],
    ["303a:1001", "tty/ttyACM0", /USB-JTAG.* is ttyACM0/],
  ])("%s with its port is named", async (id, port, text) => {
    const findings = await usbChipsCheck(machineWith({ sys: sysWith(id, port) })).run();
    expect(findings).toEqual([{ result: "ok", text: expect.stringMatching(text) }]);
  });

  it("without its port misses its driver", async () => {
    const machine = machineWith({ sys: sysWith("1a86:7523", undefined), proc: temporary() });
    expect(await problemOf(usbChipsCheck(machine))).toMatchObject({
      result: "fail",
      cause: expect.stringMatching(/ch341/),
      fix: "sudo modprobe ch341, then plug the board in again",
    });
    write(join(machine.proc, "5", "comm"), "brltty\n");
    expect((await problemOf(usbChipsCheck(machine))).fix).toMatch(/remove -y brltty/);
  });

  it("is none among other devices, and without USB", async () => {
    for (const sys of [sysWith("046d:c52b", undefined), temporary()])
      expect(await resultsOf(usbChipsCheck(machineWith({ sys })))).toEqual(["ok"]);
  });
});

describe("udev", () => {
  it("is missed where it does not run", async () => {
    const run = temporary();
    expect((await problemOf(udevCheck(machineWith({ run })))).result).toBe("warn");
    write(join(run, "udev", "control"), "");
    expect(await resultsOf(udevCheck(machineWith({ run })))).toEqual(["ok"]);
  });
});
