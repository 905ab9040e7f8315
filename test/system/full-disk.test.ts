/** The cloud's disk fills while readings arrive: nothing is lost, and nobody has to start anything again. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { isComplete, startDevice, watchSequences } from "../support/fleet.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, linesUntil } from "../support/serve.ts";
import { mountSmall } from "../support/small-disk.ts";

const BOARD = {
  name: "load",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.05, qos: 1 }],
  queue: { readings: 1000 },
};
/** The write-ahead log alone grows to some 4 MiB before it begins anew. */
const MEBIBYTES = 16;
/** Before the disk is full, and again when there is room. */
const READINGS = 20;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describe("a cloud whose disk is full", () => {
  it("says so, leaves the messages with the broker, and stores all when there is room", async ({
    skip,
  }) => {
    const small = mountSmall(MEBIBYTES);
    if (small === undefined) return skip("no file system can be mounted here");
    const [directory, remove] = await temporaryDirectory("full-disk");
    cleanUp.push(remove);
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const receiver = await createReceiver(small, broker.url);
    const watcher = await watchSequences(broker.url);
    cleanUp.push(watcher.close);
    await receiver.start();
    cleanUp.push(receiver.kill);
    const device = await startDevice(
      {
        files: await bundleBoard(directory, BOARD),
        ...{ directory, broker, trust: receiver.trust },
        register: (key, name) =>
          receiver.command("device", "register", "--key", key, "--name", name),
      },
      "device",
    );
    cleanUp.push(device.powerOff);
    let stored = 0;
    await linesUntil(receiver, () => ++stored >= READINGS);

    const filler = join(small, "filler");
    expect(() => writeFileSync(filler, Buffer.alloc(MEBIBYTES * 2 ** 20))).toThrow(/ENOSPC/);
    await expect
      .poll(() => receiver.log.at(-1))
      .toContain("message not stored (database or disk is full); the broker keeps it");
    await expect.poll(() => device.lines.at(-1)).toMatch(/^no receipt/);

    rmSync(filler);
    // Until it hears of those that wait the device holds back what it takes meanwhile: that comes now.
    const heard = Math.max(...watcher.highest.values());
    await linesUntil(receiver, () => Math.max(...watcher.highest.values()) > heard + READINGS);
    const sent = new Map(watcher.highest);
    await linesUntil(receiver, () => isComplete(receiver.database, sent));
    device.powerOff();
    expect(await receiver.stop()).toBe(0);
  });
});
