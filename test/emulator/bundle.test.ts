/**
 * The bundle that is flashed, in Espruino itself, with the C module in it, over a real
 * broker to the real cloud: first boot, readings, power cut, boot again.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import { useKey } from "../../cloud/crypto/key.ts";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { loadKeys } from "../../cloud/keys/cloud-keys.ts";
import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
import { USAGE_DECRYPT } from "../../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { LIMIT_VARIABLES } from "../../scripts/build/size.mjs";
import { countInMemory } from "../native/memory.ts";
import type { Receiver, StoredLine } from "../support/serve.ts";
import { describeEspruino, type Interpreter } from "./espruino.ts";
import { faultsOf, powerOn, register, unpack } from "./unpack.ts";
import { leastUsage, noteVariables, watchUsage } from "./variables.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.2, qos: 1 }],
  queue: { readings: 16, flash: 512, spillSeconds: 1 },
};
const READINGS = 30;
const LIFE_READINGS = 200;
/** So slow that on a busy machine too the queue is empty at times. */
const SLOW = { ...BOARD, sensors: [{ driver: "host", periodSeconds: 2, qos: 1 }] };
const LOOKS = 30;
/** With queue and loaded readings at their bounds, 600 stay free. */
const MOST_VARIABLES_QUEUED = 4095 - 600;
/** Where the private key lies in its store record (native/core/key_record.c, version 1). */
const SCALAR = { at: 17, size: 32 };

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Resolves with the reading that `wanted` waits for. */
function reading(receiver: Receiver, wanted: (line: StoredLine) => boolean): Promise<StoredLine> {
  return new Promise((resolve) => {
    receiver.onLine = (line) => {
      if (wanted(line)) resolve(line);
    };
  });
}

/** Sequence numbers in the database, by session. */
function sequences(database: string): Map<number, number[]> {
  const db = new Database(database, { readonly: true });
  const found = new Map<number, number[]>();
  try {
    const rows = db.prepare("SELECT session, sequence FROM reading ORDER BY session, sequence");
    for (const row of rows.all() as { session: number; sequence: number }[])
      found.set(row.session, [...(found.get(row.session) ?? []), row.sequence]);
  } finally {
    db.close();
  }
  return found;
}

/** The key of a session, from the row in which the cloud keeps it sealed. */
function openSessionKey(
  receiver: Receiver,
  keys: string,
  publicKey: Buffer,
  counter: number,
): Buffer {
  const crypto = createNodeCrypto();
  const { kek } = loadKeys(crypto, keys);
  const thumbprint = thumbprintOf(crypto, fromBuffer(publicKey));
  const db = new Database(receiver.database, { readonly: true });
  try {
    const row = db
      .prepare("SELECT sealed_key AS sealed FROM session WHERE device = ? AND counter = ?")
      .get(Buffer.from(kidOf(thumbprint), "latin1"), counter) as { sealed: Buffer };
    const place = (thumbprint + toBigEndian(counter)) as Bytes;
    const key = crypto.openKey(fromBuffer(row.sealed), kek, place, USAGE_DECRYPT);
    return useKey(key, "content", USAGE_DECRYPT).secret.export();
  } finally {
    db.close();
  }
}

const SETTINGS = { receiptSeconds: 1 };

/** Asks the interpreter until the answer is as wanted; what it says last. */
async function ask(device: Interpreter, expression: string, wanted: (value: number) => boolean) {
  for (;;) {
    const value = (await device.evaluate(expression)) as number;
    if (wanted(value)) return value;
  }
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describeEspruino("the bundle in Espruino", () => {
  it("keeps its key over a power cut and goes on in a new session", {
    timeout: 180_000,
  }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, SETTINGS);
    const { directory, receiver } = unpacked;
    const [first, publicKey] = await register(cleanUp, unpacked);
    await receiver.start();
    cleanUp.push(receiver.kill);
    const { session } = await reading(receiver, ({ sequence }) => sequence >= READINGS);

    const record = readFileSync(join(directory, "espruino.devcrypto", "device-a"));
    const scalar = record.subarray(SCALAR.at, SCALAR.at + SCALAR.size);
    const point = Buffer.from(publicKey, "hex");
    const sessionKey = openSessionKey(receiver, join(directory, "keys"), point, session);
    // Each in its slot and nowhere else, in neither byte order.
    const secrets = [scalar, sessionKey];
    expect(countInMemory(first.pid, secrets)).toEqual([1, 1]);
    const backwards = secrets.map((secret) => Buffer.from(secret).reverse());
    expect(countInMemory(first.pid, backwards)).toEqual([0, 0]);
    await first.powerOff();

    const second = powerOn(cleanUp, unpacked);
    const [, again] = await second.line(/--key ([0-9a-f]{130})/);
    expect(again).toBe(publicKey);
    const later = await reading(
      receiver,
      (line) => line.session !== session && line.sequence >= READINGS,
    );
    expect(later.session).toBeGreaterThan(session);
    await second.powerOff();
    expect(await receiver.stop()).toBe(0);

    // Nothing is missing below the last of each session, and nothing is there twice.
    const stored = sequences(receiver.database);
    expect([...stored.keys()]).toEqual([session, later.session]);
    for (const numbers of stored.values()) expect(numbers).toEqual(upTo(numbers.length));
    expect([first, second].flatMap(faultsOf)).toEqual([]);
  });

  it("leaves most of the variables free", { timeout: 180_000 }, async () => {
    const unpacked = await unpack(cleanUp, SLOW, SETTINGS);
    const { receiver } = unpacked;
    const [device] = await register(cleanUp, unpacked);
    noteVariables("booted", (await device.evaluate("process.memory().usage")) as number);
    await receiver.start();
    cleanUp.push(receiver.kill);
    await reading(receiver, ({ sequence }) => sequence >= 4);
    await watchUsage(device);
    const usage = await leastUsage(device, LOOKS);
    noteVariables("streaming", usage);
    expect(usage).toBeLessThanOrEqual(LIMIT_VARIABLES);
    expect([device].flatMap(faultsOf)).toEqual([]);
  });

  it("brings what it sealed without a broker through a power cut, in order and once", {
    timeout: 240_000,
  }, async () => {
    const unpacked = await unpack(cleanUp, BOARD, SETTINGS);
    const { broker, receiver } = unpacked;
    const [first] = await register(cleanUp, unpacked);
    await receiver.start();
    cleanUp.push(receiver.kill);
    const { session } = await reading(receiver, ({ sequence }) => sequence >= LIFE_READINGS);

    await broker.stop();
    const inFlash = 'require("devcrypto").ringCount()';
    const kept = await ask(first, inFlash, (count) => count >= 2 * BOARD.queue.readings);
    const { usage } = (await first.evaluate("process.memory()")) as { usage: number };
    noteVariables("offline", usage);
    expect(usage).toBeLessThanOrEqual(MOST_VARIABLES_QUEUED);
    await first.powerOff();
    await broker.restart();

    const second = powerOn(cleanUp, unpacked);
    const later = await reading(receiver, (line) => line.session !== session && line.sequence > 8);
    expect(await ask(second, inFlash, (count) => count === 0)).toBe(0);
    await second.powerOff();
    expect(await receiver.stop()).toBe(0);

    const stored = sequences(receiver.database);
    expect([...stored.keys()]).toEqual([session, later.session]);
    for (const numbers of stored.values()) expect(numbers).toEqual(upTo(numbers.length));
    // Some of those in flash had been stored; their receipt was on its way when the broker went.
    const fromFlash = (stored.get(session)?.length ?? 0) - LIFE_READINGS;
    expect(fromFlash).toBeGreaterThanOrEqual(kept / 2);
    expect([first, second].flatMap(faultsOf)).toEqual([]);
    console.log(
      `in Espruino: ${kept} readings in flash at the power cut, ${fromFlash} of them new to the cloud`,
    );
  });
});
