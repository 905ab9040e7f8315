/** What a person types at the console, in Espruino itself: the commands of the flashed bundle. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { makeTrust } from "../support/trust.ts";
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

async function flash(
  directory: string,
  board: typeof BOARD & { console?: string },
  port: number,
): Promise<void> {
  const { bundle } = await bundleBoard(directory, board);
  await writeFlash(directory, {
    ".bootcde": readFileSync(bundle),
    "coseflow.json": JSON.stringify({
      brokers: [{ host: "127.0.0.1", port, username: "u", password: PASSWORD }],
      ...(await makeTrust()),
    }),
  });
}

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
    // Port 9 is nobody's.
    await flash(directory, BOARD, 9);

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
    // Where a chip would reset, Espruino for Linux ends.
    await expect(last.evaluate("restart()")).rejects.toThrow("got the end");
    const attempt = powerOn(directory);
    await attempt.line(/device [0-9a-f]{16}/);
    expect(await attempt.evaluate("status()")).toMatchObject({ boots: 4, reset: 2 });
    // What main.ts hands on is called through another object.
    const answer = await attempt.evaluate(
      `(function (s) { s.i.enableWatchdog(120, false); s.i.kickWatchdog(); return s.i.getConsole(); })({ i: E })`,
    );
    expect(answer).toEqual(expect.any(String));
  });

  it("is deaf and mute once it is locked, while the device runs", { timeout: 60_000 }, async () => {
    const [directory, remove] = await temporaryDirectory("locked");
    cleanUp.push(remove);
    const broker = createServer((socket) => socket.on("error", () => undefined));
    await once(broker.listen(0, "127.0.0.1"), "listening");
    cleanUp.push(() => void broker.close());
    await flash(directory, { ...BOARD, console: "locked" }, (broker.address() as AddressInfo).port);
    const connected = once(broker, "connection");
    const device = powerOn(directory);
    device.type("print('still '+'here')");
    const [socket] = (await connected) as [Socket];
    device.type("print('still '+'here')");
    // It comes again after it was turned away: so it has run on.
    const again = once(broker, "connection");
    socket.destroy();
    await again;
    expect(device.lines.filter((line) => /console|device|mqtt|still here/.test(line))).toEqual([]);
  });
});
