/**
 * A broker that sends the flashed bundle in Espruino what it likes, between the packets of an honest
 * one: floods, lengths of 256 MB, packets that are all topic, long ones and garbage. It costs at
 * most the connection: no error, no variable, and all readings arrive.
 */
import { randomFillSync } from "node:crypto";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import { generate } from "mqtt-packet";
import { afterEach, expect, it } from "vitest";
import { createSplitter } from "../support/packet-splitter.ts";
import { allTopic, burst, publish, withLength256M } from "../support/world/hostile-peers.ts";
import { describeEspruino, type Interpreter } from "./espruino.ts";
import { faultsOf, register, unpack } from "./unpack.ts";
import { leastUsage, watchUsage } from "./variables.ts";

const BOARD = {
  name: "hostile",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 32, flash: 512 },
};
const WARM = 8;
const SAMPLES = 12;
/** Counters take a byte more as they grow, and with it a variable where they are text. */
const FEW = 12;
/** The device keeps the text of its last error, of up to some 110 bytes: a flat string. */
const LAST_ERROR = 10;
const FLOOD = 300;
/** More than the device takes of a message, and less than TCP carries at once. */
const LONG = 1400;
/** Until the device has read the longest flood, and has ended what it does not bear. */
const REST_MS = 5_000;
const LONGEST_MS = 900_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const SUBACK = 9;

/** Between device and broker; `say` puts in what the broker never said. */
async function startLiar(broker: () => number) {
  let device: Socket | undefined;
  let wake = () => {};
  const server = createServer((client) => {
    const honest = connect(broker(), "127.0.0.1");
    const split = createSplitter();
    client.on("error", () => honest.destroy());
    honest.on("error", () => client.destroy());
    client.on("close", () => {
      if (device === client) device = undefined;
      honest.destroy();
    });
    honest.on("close", () => client.destroy());
    client.pipe(honest);
    honest.on("data", (data) => {
      client.write(data);
      if (!split(data).some((packet) => (packet[0] as number) >> 4 === SUBACK)) return;
      device = client;
      wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => {
    device?.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    /** Resolves while a device is subscribed. */
    async online(): Promise<void> {
      while (device === undefined)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    },
    say: (words: Buffer) => device?.write(words),
    hangUp: () => device?.destroy(),
  };
}

const garbage = (length: number) => randomFillSync(Buffer.alloc(length));
const repeated = (count: number, make: (at: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)));

/** They begin as they should, and are refused in the middle of reading. */
const NO_ENCRYPT0 = Buffer.from([0xd0, 0x83, 0x01]);
const NO_SIGN1 = Buffer.from([0xd2, 0x84, 0x01]);
const REFUSED = 20;

/** By what they are. The topics of the device begin with `prefix`. */
function hostileWords(prefix: string): Record<string, Buffer> {
  const world = { receiptTopic: `${prefix}receipt` };
  const [receipt, command] = [world.receiptTopic, `${prefix}command`];
  return {
    "a flood of QoS 0": burst(world, FLOOD, 0),
    "a flood of QoS 1": burst(world, FLOOD, 1),
    "a flood of QoS 2": burst(world, FLOOD, 2),
    "garbage as receipts": repeated(60, (at) => publish(receipt, garbage(1 + 16 * at), 0, 1)),
    "garbage as commands": repeated(20, (at) => publish(command, garbage(50 * at), 2, at + 1)),
    "receipts of another form": repeated(REFUSED, (at) => publish(receipt, NO_ENCRYPT0, 1, at + 1)),
    "commands of another form": repeated(REFUSED, (at) => publish(command, NO_SIGN1, 1, at + 1)),
    "long messages": repeated(20, (at) => publish(receipt, garbage(LONG), 1, at + 1)),
    "a message of 256 MB": Buffer.concat([withLength256M(0x30), garbage(5000)]),
    "an acknowledgement of 256 MB": Buffer.concat([withLength256M(0x40), garbage(5000)]),
    "a message that is all topic": allTopic,
    "a topic longer than its packet": Buffer.from([0x30, 4, 0xff, 0xff, 1, 2]),
    "a length of five bytes": Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1]),
    "another CONNACK": generate({ cmd: "connack", sessionPresent: false, returnCode: 0 }),
    "pings that nobody sent": repeated(1000, () => generate({ cmd: "pingresp" })),
    "releases of nothing": repeated(200, (at) => generate({ cmd: "pubrel", messageId: at + 1 })),
    "a packet of type 15": Buffer.from([0xf0, 2, 0, 9]),
    "garbage packets": garbage(LONG),
  };
}

function sequences(database: string): number[] {
  const db = new Database(database, { readonly: true });
  try {
    return db
      .prepare<[], number>("SELECT sequence FROM reading ORDER BY session, sequence")
      .pluck()
      .all();
  } finally {
    db.close();
  }
}

/** What an interpreter without stack says, beside its faults. */
const troubleOf = (device: Interpreter) => [
  ...faultsOf(device),
  ...device.lines.filter((line) => /Too much recursion/.test(line)),
];

describeEspruino("a hostile broker, for Espruino", () => {
  it("costs the connection at most: no variable, no reading and no error", {
    timeout: LONGEST_MS,
  }, async () => {
    let brokerPort = 0;
    const liar = await startLiar(() => brokerPort);
    const unpacked = await unpack(cleanUp, BOARD, {
      receiptSeconds: 2,
      brokers: [{ host: "127.0.0.1", port: liar.port }],
    });
    brokerPort = unpacked.broker.port;
    const { receiver } = unpacked;
    const [device] = await register(cleanUp, unpacked);
    let last = 0;
    let wake = () => {};
    receiver.onLine = ({ sequence }) => {
      last = sequence;
      wake();
    };
    const until = (wanted: number) =>
      new Promise<void>((resolve) => {
        wake = () => {
          if (last >= wanted) resolve();
        };
        wake();
      });
    await receiver.start();
    cleanUp.push(receiver.kill);
    await until(WARM);
    await watchUsage(device);
    /** Since they were asked for last. LOW_MEMORY says that garbage was collected, as it is at all times. */
    const flags = async () =>
      ((await device.evaluate("E.getErrorFlags()")) as string[]).filter(
        (flag) => flag !== "LOW_MEMORY",
      );
    const before = await leastUsage(device, SAMPLES);
    console.log(`before: flags ${await device.evaluate("E.getErrorFlags()")}`);

    const [, kid] = await device.line(/device ([0-9a-f]{16})/);
    const words = hostileWords(`cf/1/${kid}/`);
    for (const [what, spoken] of Object.entries(words)) {
      await liar.online();
      const from = device.lines.length;
      liar.say(spoken);
      await delay(REST_MS);
      // What still waits for the rest of a packet goes on when the connection ends.
      if (what.endsWith("256 MB")) liar.hangUp();
      const said = device.lines.slice(from).filter((line) => line.startsWith("mqtt: "));
      console.log(`${what}: ${said[0] ?? "borne"}`);
      expect(troubleOf(device), what).toEqual([]);
      expect(await flags(), what).toEqual([]);
    }

    const refused = (what: string) =>
      device.lines.filter((line) => line.startsWith(`${what} refused: CBOR item`)).length;
    // A connection that ended took with it what had not been read.
    for (const what of ["receipt", "command"])
      while (refused(what) < REFUSED) {
        await liar.online();
        liar.say(words[`${what}s of another form`] as Buffer);
        await delay(REST_MS);
      }
    await liar.online();
    await until(last + WARM);
    const after = await leastUsage(device, SAMPLES);
    console.log(`in Espruino: ${before} of 4095 variables before a hostile broker, ${after} after`);
    expect(troubleOf(device)).toEqual([]);
    expect(after - before).toBeLessThanOrEqual(FEW + LAST_ERROR);
    await device.powerOff();
    expect(await receiver.stop()).toBe(0);
    const stored = sequences(receiver.database);
    expect(stored).toEqual(Array.from({ length: stored.length }, (_, at) => at + 1));
    expect(stored.length).toBeGreaterThan(REST_MS / 1000);
  });
});
