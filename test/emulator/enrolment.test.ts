/**
 * An enrolment in Espruino itself, with the C module, over a real broker to the real cloud:
 * what it costs in variables at its worst moment, over a power cut, and to the first readings.
 */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";
import { noteVariables, watchPeak, watchUsage } from "./variables.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 2, qos: 1 }],
  queue: { readings: 16, flash: 512, spillSeconds: 1 },
};
const NAMES = { deviceId: "shed", userId: "ann" };
const READINGS = 3;
/** At the worst moment of an enrolment so many stay free. */
const LEAST_FREE = 600;
const ALL = 4095;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const faults = ({ lines }: Interpreter) =>
  lines.filter((line) => /Uncaught|New interpreter error|OUT OF MEMORY/.test(line));

describeEspruino("an enrolment in Espruino", () => {
  it("asks, goes on after a power cut, is answered and measures", {
    timeout: 240_000,
  }, async () => {
    const [directory, remove] = await temporaryDirectory("emulator-enrolment");
    cleanUp.push(remove);
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const receiver = await createReceiver(directory, broker.url);
    const named = ["--user", NAMES.userId, "--device", NAMES.deviceId];
    const claim = (await receiver.command("claim", "new", ...named)).trim();
    const { bundle } = await bundleBoard(directory, BOARD);
    await writeFlash(directory, {
      ".bootcde": readFileSync(bundle),
      "coseflow.json": JSON.stringify({
        brokers: [{ host: broker.host, port: broker.port }],
        ...receiver.trust,
        ...NAMES,
        claim,
        receiptSeconds: 2,
      }),
    });
    const asked = /^enrolling as shed of ann$/;
    const first = boot(directory);
    cleanUp.push(first.powerOff);
    const [, key] = await first.line(/, device ([0-9a-f]{16})$/);
    await first.line(asked);
    await first.powerOff();

    const second = boot(directory);
    cleanUp.push(second.powerOff);
    await second.line(asked);
    await watchUsage(second);
    const peak = await watchPeak(second, ["verifyCertificate", "verifyMessage", "aeadDecrypt"]);
    const enough = new Promise<void>((resolve) => {
      receiver.onLine = ({ sequence }) => {
        if (sequence >= READINGS) resolve();
      };
    });
    await receiver.start();
    cleanUp.push(receiver.kill);
    await second.line(/^enrolled as shed of ann$/);
    await enough;
    const usage = peak();
    noteVariables("enrolment", usage);
    expect(await receiver.command("device", "list")).toMatch(
      new RegExp(`${key}.* enrolled +shed +ann`),
    );
    expect([...faults(first), ...faults(second)]).toEqual([]);
    expect(ALL - usage).toBeGreaterThanOrEqual(LEAST_FREE);
  });
});
