/** The limit of `coseflow validate` in Espruino: a board that holds as much obeys commands and rolls its key. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { createMemoryEstimate, MOST_STREAMING } from "../../scripts/board/memory.ts";
import { CLI } from "../support/built.ts";
import { describeEspruino } from "./espruino.ts";
import { STUBS } from "./sensor-stubs.ts";
import { faultsOf, powerOn, register, unpack } from "./unpack.ts";
import { leastUsage, watchUsage } from "./variables.ts";

const EVERY = { periodSeconds: 2, qos: 1 };
/** The stubs of the chips take what a board with Wi-Fi has for that. */
const BOARD = {
  name: "full",
  network: "host",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  queue: { readings: 16, flash: 512, spillSeconds: 1 },
  sensors: [
    { ...EVERY, driver: "sht3x" },
    { ...EVERY, driver: "bme280", name: "attic" },
  ],
  led: { pin: "D10" },
  button: { pin: "D11" },
};
const LOOKS = 6;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describeEspruino("a board at the limit of variables in Espruino", () => {
  it("measures, obeys a command and rolls its key", { timeout: 300_000 }, async () => {
    expect(createMemoryEstimate()(BOARD).streaming).toBeLessThanOrEqual(MOST_STREAMING);
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 1 }, STUBS);
    const { broker, directory, receiver } = unpacked;
    const [device] = await register(cleanUp, unpacked);
    const [, kid] = await device.line(/, device ([0-9a-f]{16})/);
    await receiver.start();
    cleanUp.push(receiver.kill);
    await device.line(/state: streaming/);
    await watchUsage(device);
    const held = await leastUsage(device, LOOKS);
    console.log(`in Espruino: ${held} variables streaming, of a board at the limit`);
    expect(held).toBeGreaterThanOrEqual(MOST_STREAMING);

    const whom = ["--device", kid as string, "--user", "ann", "--timeout", "100s"];
    const what = ["--period", "0=3", "--qos", "0=1", "--drop", "0=oldest"];
    const where = ["--broker", broker.url, "--keys", join(directory, "keys")];
    const all = ["provision", "update", ...whom, ...what, ...where, "--db", receiver.database];
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...all]);
    expect(stdout).toMatch(/done/);

    const roll = ["provision", "update", ...whom, "--roll", ...where, "--db", receiver.database];
    const rolled = promisify(execFile)(process.execPath, [CLI, ...roll]);
    await device.line(/^new key in use: restarting with it/);
    expect((await rolled).stdout).toMatch(/rolled/);
    expect(faultsOf(device)).toEqual([]);
    await device.powerOff();
    const next = powerOn(cleanUp, unpacked);
    await next.line(/^new key known to the cloud: the old one is erased/);
    expect(faultsOf(next)).toEqual([]);
  });
});
