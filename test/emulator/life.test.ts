/**
 * A whole life in Espruino itself, with the C module, over a real broker to the real cloud: readings, an
 * alarm, a sensor that fails, losses, a command, a restart, a key roll, and the end by `delete`. Run with
 * GDB around the interpreter it gives the depth of the stack above the C module (native/README.md).
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { STABLE_SECONDS } from "../../firmware/boot-guard.ts";
import { CLI } from "../support/built.ts";
import type { StoredLine } from "../support/serve.ts";
import { describeEspruino, type Interpreter } from "./espruino.ts";
import { faultsOf, powerOn, register, unpack } from "./unpack.ts";

/** A pin with a converter, which reads what a test says. */
const PIN = `
  var share = 0.375;
  global.pinMode = function () {};
  global.analogRead = function () { return share; };`;
const [WITHIN, ABOVE, BROKEN] = [0.4, 0.9, 1.9];

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [
    {
      ...{ driver: "analogue", periodSeconds: 1, qos: 1, pin: "D2", name: "level" },
      ...{ unit: "V", scale: 4, offset: -1, decimals: 1 },
      alarm: { level: { above: 2, hysteresis: 0.5 } },
      range: { level: { min: 0, max: 5 } },
    },
  ],
  queue: { readings: 4, flash: 16, spillSeconds: 1 },
};
const CHANGE = ["--period", "0=2", "--qos", "0=1", "--drop", "0=oldest"];
const LOST = 5;
const LONGEST_MS = 1_200_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const status = (device: Interpreter) =>
  device.evaluate("status()") as Promise<{ uptime: number; drops?: number }>;

/** Asks until the device answers as wanted. */
async function until(
  device: Interpreter,
  wanted: (answer: { uptime: number; drops?: number }) => boolean,
) {
  while (!wanted(await status(device))) await delay(1000);
}

describeEspruino("a life in Espruino", () => {
  it("is lived to its end without a fault", { timeout: LONGEST_MS }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 2 }, { ".boot0": PIN });
    const { directory, broker, receiver } = unpacked;
    const told: StoredLine[] = [];
    let look = () => {};
    receiver.onLine = (line) => {
      told.push(line);
      look();
    };
    const hears = (name: string, from = 0) =>
      new Promise<void>((resolve) => {
        look = () => told.slice(from).some((line) => line.name === name) && resolve();
        look();
      });
    async function provision(kid: string, ...what: string[]): Promise<string> {
      const to = ["--device", kid, "--user", "ann", "--timeout", "240s", "--broker", broker.url];
      const of = ["--keys", join(directory, "keys"), "--db", receiver.database];
      const run = promisify(execFile)(process.execPath, [CLI, "provision", ...what, ...to, ...of]);
      return (await run).stdout;
    }

    const [first] = await register(cleanUp, unpacked);
    const [, kid = ""] = await first.line(/, device ([0-9a-f]{16})/);
    await receiver.start();
    cleanUp.push(receiver.kill);
    await first.line(/state: streaming/);
    await hears("level");
    await first.evaluate(`(share=${ABOVE},0)`);
    await hears("level-alarm");
    await first.evaluate(`(share=${BROKEN},0)`);
    // Before a boot has lasted no failure is told.
    await until(first, ({ uptime }) => uptime > STABLE_SECONDS);
    await hears("level-failure");
    await first.evaluate(`(share=${WITHIN},0)`);

    const before = ((await status(first)).drops ?? 0) + LOST;
    await broker.stop();
    await until(first, ({ drops = 0 }) => drops >= before);
    const from = told.length;
    await broker.restart();
    await hears("dropped", from);
    await provision(kid, "update", ...CHANGE);
    first.type("restart()");
    // A board restarts here; on Linux the interpreter says that it cannot.
    await first.line(/^Not implemented/);
    await first.powerOff();

    const second = powerOn(cleanUp, unpacked);
    await second.line(/state: streaming/);
    const rolled = provision(kid, "update", "--roll");
    await second.line(/^new key in use: restarting with it/);
    expect(await rolled).toMatch(/rolled/);
    await second.powerOff();

    const third = powerOn(cleanUp, unpacked);
    const [, next = ""] = await third.line(/, device ([0-9a-f]{16})/);
    await third.line(/^new key known to the cloud: the old one is erased/);
    const deleted = provision(next, "delete");
    await third.line(/^deleted by command/);
    await third.line(/^Not implemented/);
    await third.powerOff();

    const last = powerOn(cleanUp, unpacked);
    expect(await deleted).toMatch(/deleted/);
    await last.line(/^device deprovisioned/);
    expect([first, second, third, last].flatMap(faultsOf)).toEqual([]);
  });
});
