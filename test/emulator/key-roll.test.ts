/**
 * A key roll in Espruino itself, with the C module, over a real broker to the real cloud: what it
 * costs in variables at its worst moment, and that the device goes on under its new key.
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { CLI } from "../support/built.ts";
import { describeEspruino } from "./espruino.ts";
import { faultsOf, powerOn, register, unpack } from "./unpack.ts";
import { noteVariables, watchPeak, watchUsage } from "./variables.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 2, qos: 1 }],
  queue: { readings: 16, flash: 512, spillSeconds: 1 },
};
/** At the worst moment of a key roll so many stay free. */
const LEAST_FREE = 600;
const ALL = 4095;

/** At each step that a key roll takes its code and data are all there. */
const STEPS = [
  ...["verifyCertificate", "verifyMessage", "aeadDecrypt", "signMessage", "writeCsr"],
  ...["openKey", "eraseKey", "eraseRecord"],
];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describeEspruino("a key roll in Espruino", () => {
  it("leaves room at its worst moment, and the readings go on", {
    timeout: 300_000,
  }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 2 });
    const { directory, broker, receiver } = unpacked;
    const [first] = await register(cleanUp, unpacked);
    const [, kid] = await first.line(/, device ([0-9a-f]{16})/);
    await receiver.start();
    cleanUp.push(receiver.kill);
    await first.line(/state: streaming/);
    // What was sealed before the registration goes out first.
    await new Promise<void>((resolve) => {
      receiver.onLine = ({ sequence }) => sequence >= 8 && resolve();
    });
    await watchUsage(first);
    const peak = await watchPeak(first, STEPS);

    const args = ["--device", kid as string, "--user", "ann", "--roll", "--timeout", "120s"];
    const where = ["--broker", broker.url, "--keys", join(directory, "keys")];
    const all = ["provision", "update", ...args, ...where, "--db", receiver.database];
    const ran = promisify(execFile)(process.execPath, [CLI, ...all]);
    await first.line(/^new key in use: restarting with it/);
    expect((await ran).stdout).toMatch(/rolled/);
    await first.powerOff();
    noteVariables("keyRoll", peak());
    expect(ALL - peak()).toBeGreaterThanOrEqual(LEAST_FREE);

    const stored = new Promise<void>((resolve) => {
      receiver.onLine = ({ session, sequence }) => {
        if (session < 3 && sequence === 3) resolve();
      };
    });
    const second = powerOn(cleanUp, unpacked);
    const [, next] = await second.line(/, device ([0-9a-f]{16})/);
    expect(next).not.toBe(kid);
    await second.line(/^new key known to the cloud: the old one is erased/);
    await stored;
    // One key is left, in its two slots.
    const left = readdirSync(join(directory, "espruino.devcrypto")).sort();
    expect(left.filter((name) => /^(device|next)-/.test(name))).toEqual(["next-a", "next-b"]);
    expect([first, second].flatMap(faultsOf)).toEqual([]);
  });
});
