/** Memory that runs out in Espruino: the device notices, restarts, and loses nothing that it has sealed. */
import { afterEach, expect, it } from "vitest";
import { RESET_MEMORY } from "../../firmware/boot-guard.ts";
import { describeEspruino } from "./espruino.ts";
import { powerOn, register, unpack } from "./unpack.ts";

const BOARD = {
  name: "filled",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 8, flash: 512, spillSeconds: 1 },
};
/** Takes all there is, in a timer's callback as a message would; what it took is free again after it. */
const FILL = `setTimeout(function () { var all = []; while (true) all.push([all.length]); }, 1)`;
/** So many readings of the session before are to be stored after the restart. */
const READINGS = 5;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describeEspruino("memory that runs out in Espruino", () => {
  it("is a restart that says why, and costs no reading that was sealed", {
    timeout: 180_000,
  }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, { receiptSeconds: 1 });
    const { receiver } = unpacked;
    const [first] = await register(cleanUp, unpacked);
    await receiver.start();
    cleanUp.push(receiver.kill);
    const stored = new Map<number, Set<number>>();
    let onStored = () => {};
    receiver.onLine = ({ session, sequence }) => {
      stored.set(session, (stored.get(session) ?? new Set()).add(sequence));
      onStored();
    };
    const until = (isThere: () => boolean) =>
      new Promise<void>((resolve) => {
        onStored = () => isThere() && resolve();
        onStored();
      });
    const newest = () => Math.max(...stored.keys());
    await until(() => (stored.get(newest())?.size ?? 0) >= READINGS);
    const session = newest();

    await first.evaluate(`(${FILL},0)`);
    await first.line(/OUT OF MEMORY/);
    await first.line(/^memory ran out: restarting/);
    // Where there is no chip a restart is the end.
    await expect(first.line(/^nothing more/)).rejects.toThrow("got the end");
    const second = powerOn(cleanUp, unpacked);
    await second.line(/state: streaming/);
    await until(() => newest() > session && (stored.get(newest())?.size ?? 0) >= READINGS);
    // In order and without a gap, up to the restart.
    const before = [...(stored.get(session) ?? [])];
    expect(before).toEqual(before.map((_, index) => (before[0] as number) + index));
    expect(await second.evaluate("status()")).toMatchObject({ reset: RESET_MEMORY, boots: 2 });
    console.log(
      `in Espruino: ${before.length} readings of the session that ended without memory, stored`,
    );
  });
});
