import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { bad, type Check, type Finding, ok } from "./check.ts";
import type { Machine } from "./machine.ts";
import { describeProcesses, holdersOf } from "./processes.ts";

/** USB serial chips, and chips that are a USB serial port themselves. */
const PORT = /^tty(?:USB|ACM)\d+$/;

/** Paths of the serial ports that a board may be on. */
export function listSerialPorts(dev: string): string[] {
  const names = readdirSync(dev).filter((name) => PORT.test(name));
  return names.sort().map((name) => join(dev, name));
}

interface Group {
  name: string;
  members: string[];
}

/** A group of the file /etc/group: name, password, number, members. */
function findGroup(etc: string, gid: number): Group | undefined {
  const lines = readFileSync(join(etc, "group"), "utf8").split("\n");
  const fields = lines.map((line) => line.split(":")).find(([, , id]) => id === String(gid));
  return fields && { name: fields[0] ?? "", members: (fields[3] ?? "").split(",") };
}

function mayUse({ mode, uid, gid }: Stats, user: Machine["user"]): boolean {
  const shift = uid === user.uid ? 6 : user.groups.includes(gid) ? 3 : 0;
  return user.uid === 0 || ((mode >> shift) & 6) === 6;
}

function permission(port: string, { etc, user }: Machine): Finding | undefined {
  const stats = statSync(port);
  if (mayUse(stats, user)) return undefined;
  const text = `${port}: ${user.name} may not use it`;
  const group = findGroup(etc, stats.gid);
  if (group === undefined || group.name === "root" || ((stats.mode >> 3) & 6) !== 6)
    return bad(
      text,
      `its mode is ${(stats.mode & 0o777).toString(8)}, its group ${group?.name ?? stats.gid}: no udev rule gave it to a group`,
      `sudo chgrp dialout ${port} && sudo chmod 660 ${port}`,
    );
  if (group.members.includes(user.name))
    return bad(
      text,
      `${user.name} is in its group ${group.name}, but was not yet when this session began`,
      "log out and in again",
    );
  return bad(
    text,
    `it belongs to the group ${group.name}`,
    `sudo usermod -aG ${group.name} ${user.name}, then log out and in again`,
  );
}

/** ModemManager opens every new port to look for a modem. */
const MODEM_MANAGER = "ModemManager";

function use(port: string, { proc }: Machine): Finding | undefined {
  const holders = holdersOf(proc, realpathSync(port));
  if (holders.length === 0) return undefined;
  const isModemManager = holders.some(({ name }) => name === MODEM_MANAGER);
  return bad(
    `${port}: in use by ${describeProcesses(holders)}`,
    isModemManager
      ? "it looks for modems on every new port"
      : "two programs on one port take each other's bytes",
    isModemManager
      ? `sudo systemctl disable --now ${MODEM_MANAGER}`
      : `close it, or: kill ${holders.map(({ pid }) => pid).join(" ")}`,
  );
}

/** What keeps a port from being opened; none where it may be, and is free. */
export function portProblems(port: string, machine: Machine): Finding[] {
  return [permission(port, machine), use(port, machine)].filter((finding) => finding !== undefined);
}

/** Whether the serial ports may be opened, and are free. */
export function serialPortsCheck(machine: Machine): Check {
  return {
    name: "serial ports",
    async run() {
      const ports = listSerialPorts(machine.dev);
      if (ports.length === 0) return [ok("none: no board is plugged in")];
      return ports.flatMap((port) => {
        const found = portProblems(port, machine);
        return found.length > 0 ? found : [ok(`${port}: may be opened, and is free`)];
      });
    },
  };
}
