/**
 * The receiver is killed again and again under load. What the device was told is
 * stored must be stored; what it was not told it sends again; nothing is stored twice.
 */

import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { BROKERS, type TestBroker } from "../support/brokers.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { type FleetDevice, isComplete, startDevice, watchSequences } from "../support/fleet.ts";
import { createReceiver, linesUntil } from "../support/serve.ts";

const KILLS = 20;
const DEVICES = 3;
/** Readings stored before each kill, so that every life of the receiver does some work. */
const READINGS_BETWEEN_KILLS = 15;
/** The kill falls anywhere within this after them: in a commit, an acknowledgement, a receipt. */
const KILL_WITHIN_MS = 120;

const BOARD = {
  name: "load",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.05, qos: 1 }],
  queue: { readings: 4000 },
};

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function killAgainAndAgain(broker: TestBroker) {
  const [directory, remove] = await temporaryDirectory("kill");
  cleanUp.push(remove);
  const receiver = await createReceiver(directory, broker.url);
  const watcher = await watchSequences(broker.url);
  cleanUp.push(watcher.close);
  const files = await bundleBoard(directory, BOARD);

  await receiver.start();
  const devices: FleetDevice[] = [];
  for (let i = 0; i < DEVICES; i++) {
    const device = await startDevice(
      {
        files,
        directory,
        broker,
        trust: receiver.trust,
        register: (key, name) =>
          receiver.command("device", "register", "--key", key, "--name", name),
      },
      `device-${i}`,
    );
    devices.push(device);
    cleanUp.push(device.powerOff);
  }

  for (let kill = 0; kill < KILLS; kill++) {
    let stored = 0;
    await linesUntil(receiver, () => ++stored >= READINGS_BETWEEN_KILLS * 2);
    await delay(Math.random() * KILL_WITHIN_MS);
    await receiver.kill();
    await receiver.start();
  }

  const sent = new Map(watcher.highest);
  await linesUntil(receiver, () => isComplete(receiver.database, sent));
  expect(await receiver.stop()).toBe(0);
  return { receiver, devices, sent };
}

function readAll<T>(database: string, sql: string): T[] {
  const db = new Database(database, { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}

describe.each(BROKERS)("receiver killed, on %s", (_name, startBroker, version) => {
  it(`loses nothing over ${KILLS} kills and stores nothing twice`, {
    timeout: 600_000,
  }, async () => {
    const broker = await startBroker();
    cleanUp.push(() => broker.close());
    const { receiver, devices, sent } = await killAgainAndAgain(broker);

    expect(receiver.log.filter((line) => line.includes(`"mqtt":"${version}"`)).length).toBe(
      KILLS + 1,
    );
    expect(sent.size).toBe(DEVICES);
    // Two measurements to a reading, each once.
    const odd = readAll(
      receiver.database,
      `SELECT device, session, sequence FROM record WHERE name IN ('load', 'memory')
       GROUP BY device, session, sequence HAVING count(*) <> 2 OR count(DISTINCT name) <> 2`,
    );
    expect(odd).toEqual([]);
    expect(readAll(receiver.database, "SELECT * FROM refusal")).toEqual([]);
    for (const device of devices) expect(device.lines.join("\n")).not.toContain("queue full");
  });
});
