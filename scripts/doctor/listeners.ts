import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, type Finding, ok, warn } from "./check.ts";
import { describeProcesses, holdersOf } from "./processes.ts";

/** State of a socket that listens, in /proc/net/tcp. */
const LISTEN = "0A";

/** The inode of the socket that listens on a port; undefined when none does. */
function listenerOf(proc: string, port: number): string | undefined {
  const digits = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = ["tcp", "tcp6"]
    .map((name) => join(proc, "net", name))
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, "utf8").split("\n").slice(1));
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(`:${digits}`) && fields[3] === LISTEN) return fields[9];
  }
  return undefined;
}

/** Who listens on the ports of MQTT: 1883, and 8883 with TLS. */
export function listenersCheck({ proc }: { proc: string }, ports = [1883, 8883]): Check {
  function look(port: number): Finding {
    const inode = listenerOf(proc, port);
    if (inode === undefined) return ok(`${port}: free`);
    const holders = holdersOf(proc, `socket:[${inode}]`);
    if (holders.some(({ name }) => name === "mosquitto"))
      return ok(`${port}: ${describeProcesses(holders)}`);
    const who = holders.length > 0 ? describeProcesses(holders) : "a process of another user";
    return warn(
      `${port}: in use by ${who}`,
      "a broker that shall listen there cannot start",
      holders.length > 0
        ? `kill ${holders.map(({ pid }) => pid).join(" ")}, or give the broker another port`
        : `sudo ss -ltnp 'sport = :${port}'`,
    );
  }

  return {
    name: "ports",
    async run() {
      return ports.map(look);
    },
  };
}
