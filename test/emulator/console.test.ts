/** What a person types at the console, in Espruino itself: the commands of the flashed bundle. */

import { createECDH } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 64 },
};
const PASSWORD = "a-broker-password";
const SHORT_BOOTS = 4;

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function powerOn(directory: string): Interpreter {
  const device = boot(directory);
  cleanUp.push(device.powerOff);
  return device;
}

describeEspruino("the console in Espruino", () => {
  it("answers status() without secrets, and counts short boots up to safe mode", {
    timeout: 180_000,
  }, async () => {
    const [directory, remove] = await temporaryDirectory("console");
    cleanUp.push(remove);
    const { bundle } = await bundleBoard(directory, BOARD);
    await writeFlash(directory, {
      ".bootcde": readFileSync(bundle),
      "coseflow.json": JSON.stringify({
        // Port 9 is nobody's.
        broker: { host: "127.0.0.1", port: 9, username: "u", password: PASSWORD },
        cloudPublicKey: createECDH("prime256v1").generateKeys("hex"),
      }),
    });

    const first = powerOn(directory);
    await first.line(/^console open/);
    const [, kid] = await first.line(/device ([0-9a-f]{16})/);
    const status = (await first.evaluate("status()")) as { [name: string]: unknown };
    expect(status).toMatchObject({
      state: "network",
      kid,
      broker: "127.0.0.1:9",
      boots: 1,
      reset: 0,
      sessions: 1,
    });
    for (const name of ["uptime", "queue", "drops", "variables", "errors"])
      expect(status[name], name).toEqual(expect.any(Number));
    expect(await first.evaluate("rekey()")).toMatch(/^refused/);
    expect(await first.evaluate("sendNow()")).toBe("sensors asked");
    await first.evaluate("setTimeout(function () { throw new Error('boo') }, 1)");
    await first.line(/^Uncaught: boo/);
    expect(await first.evaluate("status()")).toMatchObject({
      errors: 1,
      lastError: expect.stringMatching(/^Uncaught: boo/),
    });
    expect(first.lines.join()).not.toContain(PASSWORD);
    await first.powerOff();

    for (let boots = 2; boots <= SHORT_BOOTS; boots++) {
      const device = powerOn(directory);
      await device.line(/device [0-9a-f]{16}/);
      await device.powerOff();
    }
    const last = powerOn(directory);
    await last.line(/^safe mode \(5 short boots in a row\): restart in 10 min/);
    const safe = (await last.evaluate("status()")) as { [name: string]: unknown };
    expect(safe).toMatchObject({ state: "safe", boots: 5 });
    expect(safe).not.toHaveProperty("kid");
    expect(await last.evaluate("rekey()")).toMatch(/^not running/);
    expect(last.lines.filter((line) => /mqtt|device [0-9a-f]{16}|Uncaught/.test(line))).toEqual([]);
  });
});
