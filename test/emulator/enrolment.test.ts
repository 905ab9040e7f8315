/**
 * An enrolment in Espruino itself, with the C module, over a real broker to the real cloud:
 * what it costs in variables at its worst moment, over a power cut, and to the first readings.
 */
import { afterEach, expect, it } from "vitest";
import { describeEspruino } from "./espruino.ts";
import { faultsOf, powerOn, unpack } from "./unpack.ts";
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

describeEspruino("an enrolment in Espruino", () => {
  it("asks, goes on after a power cut, is answered and measures", {
    timeout: 240_000,
  }, async () => {
    const named = ["--user", NAMES.userId, "--device", NAMES.deviceId];
    const unpacked = await unpack(cleanUp, BOARD, async ({ command }) => ({
      ...NAMES,
      claim: (await command("claim", "new", ...named)).trim(),
      receiptSeconds: 2,
    }));
    const { receiver } = unpacked;
    const asked = /^enrolling as shed of ann$/;
    const first = powerOn(cleanUp, unpacked);
    const [, key] = await first.line(/, device ([0-9a-f]{16})$/);
    await first.line(asked);
    await first.powerOff();

    const second = powerOn(cleanUp, unpacked);
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
    expect([first, second].flatMap(faultsOf)).toEqual([]);
    expect(ALL - usage).toBeGreaterThanOrEqual(LEAST_FREE);
  });
});
