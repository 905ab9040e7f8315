/**
 * Readings from before a device knew the time: over a boot that never met the cloud, a
 * reboot, a new session before the boot report, a receiver that is killed after it, and
 * readings that come to the cloud long after. Takes more than two minutes: a report comes
 * when its boot is a minute old.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { type LaunchedDevice, launchDevice } from "../../simulator/launch.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";

const REGISTER = /--key ([0-9a-f]{130})/;
/** After the first readings and before the report, in every boot here; a second one comes later. */
const REKEY_SECONDS = 30;
const BOARD = {
  name: "dated",
  network: "host",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  sensors: [{ driver: "sht3x", address: 68, periodSeconds: 1, qos: 1 }],
  // In flash at once: nothing is lost when the power goes.
  queue: { readings: 8, flash: 512, spillSeconds: 0 },
  session: { rekeySeconds: REKEY_SECONDS },
};
/** Readings that each boot takes before the cloud is there. */
const EARLY = 3;
/** A receipt's way on a busy machine, and two whole seconds that are rounded down. */
const TOLERANCE = 6;

/** A line of `coseflow serve --json`. */
interface Line {
  kind?: "event" | "dated";
  session: number;
  name: string;
  value: number;
  time: number;
  timeFrom: string;
}

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Resolves once the condition holds; looked at whenever something has happened. */
function createSignal() {
  const waiting = new Set<() => void>();
  return {
    changed() {
      for (const look of waiting) look();
    },
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!condition()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Who may use which topics: everyone but for readings, which the broker takes and drops. */
function writeAcl(path: string, classes: string[]): void {
  writeFileSync(path, classes.map((name) => `topic readwrite cf/1/+/${name}\n`).join(""));
}

async function setUp() {
  const [directory, remove] = await temporaryDirectory("dating");
  cleanUp.push(remove);
  const acl = join(directory, "acl");
  writeAcl(acl, ["session", "event", "receipt"]);
  const broker = await startMosquitto({ config: `acl_file ${acl}` });
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  cleanUp.push(() => receiver.kill().catch(() => {}));
  const files = await bundleBoard(directory, BOARD);
  const signal = createSignal();
  const lines: Line[] = [];
  receiver.onLine = (line) => {
    lines.push(line as unknown as Line);
    signal.changed();
  };

  /** When each measurement was taken, Unix seconds: its number is the temperature it reads. */
  const measured: number[] = [];
  let publicKey: string | undefined;
  function boot(): LaunchedDevice {
    const device = launchDevice({
      files,
      directory: join(directory, "device"),
      settings: {
        brokers: [{ host: broker.host, port: broker.port }],
        ...receiver.trust,
        receiptSeconds: 1,
      },
      environment() {
        const celsius = measured.push(Date.now() / 1000) - 1;
        setImmediate(signal.changed);
        return { celsius, relativeHumidity: 50 };
      },
      console(line) {
        publicKey ??= REGISTER.exec(line)?.[1];
      },
    });
    cleanUp.push(() => device.powerOff());
    return device;
  }

  return {
    ...{ broker, receiver, boot, measured, lines, until: signal.until },
    openReadings: () => writeAcl(acl, ["session", "event", "receipt", "reading"]),
    register: () => receiver.command("device", "register", "--key", publicKey as string),
    /** The first `count` measurements from now on are taken, and one more is under way. */
    early(count: number) {
      const from = measured.length;
      return signal.until(() => measured.length > from + count);
    },
  };
}

const isReport = ({ kind, name }: Line) => kind === "event" && name === "boot-uptime";
const isTemperature = ({ name, value }: Line, number: number) =>
  name === "temperature" && Math.round(value) === number;
const range = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);

it("dates them by the report of their own boot, and no others", { timeout: 240_000 }, async () => {
  const { broker, receiver, boot, measured, lines, until, early, ...world } = await setUp();

  // Boot 1: there is no cloud, ever.
  const first = boot();
  await early(EARLY);
  first.powerOff();
  await world.register();
  const firstEnd = measured.length;

  // Boot 2: no cloud at first, then one that sees sessions and events, but no reading.
  const second = boot();
  await early(EARLY);
  const secondEarly = firstEnd + EARLY;
  await receiver.start();
  await until(() => lines.some(isReport));
  await receiver.kill();
  second.powerOff();
  const secondEnd = measured.length;
  const reported = Object.fromEntries(lines.map(({ name, value }) => [name, value]));
  expect(reported).toMatchObject({ "boot-first": 2, "boot-session": 3 });

  // Boot 3: the cloud comes back, and readings of all three boots reach it.
  world.openReadings();
  await broker.restart();
  const third = boot();
  await early(EARLY);
  const thirdEarly = secondEnd + EARLY;
  await receiver.start();
  await until(() => lines.filter(isReport).length === 2);
  // The report is no promise that the older readings have come: they are sent beside it.
  const awaited = [0, firstEnd, secondEnd].flatMap((from) => range(from, from + EARLY));
  const hasCome = (number: number) => lines.some((line) => isTemperature(line, number));
  await until(() => awaited.every(hasCome));
  await until(() => lines.filter(({ kind }) => kind === "dated").length >= EARLY);
  third.powerOff();
  await receiver.stop();

  const temperatures = lines.filter(({ name }) => name === "temperature");
  const numberOf = ({ value }: Line) => Math.round(value);
  const arrived = new Map<number, Line>();
  for (const line of temperatures.filter(({ kind }) => kind === undefined)) {
    expect(arrived.has(numberOf(line)), `measurement ${numberOf(line)} is printed once`).toBe(
      false,
    );
    arrived.set(numberOf(line), line);
  }
  const source = (number: number) => arrived.get(number)?.timeFrom;
  const all = (from: number, end: number) => range(from, end).filter((n) => arrived.has(n));

  // Nobody knows when boot 1 was.
  expect(all(0, EARLY)).toHaveLength(EARLY);
  for (const number of all(0, firstEnd)) {
    expect(source(number), `${number}`).toBe("arrival");
    expect(arrived.get(number)?.session).toBe(1);
  }
  // Boot 2 had reported before its readings came.
  for (let number = firstEnd; number < secondEarly; number++) {
    expect(source(number), `${number}`).toBe("boot-report");
    expect(arrived.get(number)?.session).toBe(2);
  }
  // Boot 3 reported after; its early readings are printed again, and none else.
  for (let number = secondEnd; number < thirdEarly; number++)
    expect(source(number), `${number}`).toBe("arrival");
  const dated = temperatures.filter(({ kind }) => kind === "dated");
  expect(dated.slice(0, EARLY).map(numberOf)).toEqual(all(secondEnd, thirdEarly));
  for (const line of dated) {
    expect(line.timeFrom).toBe("boot-report");
    expect(source(numberOf(line))).toBe("arrival");
    expect(numberOf(line)).toBeGreaterThanOrEqual(secondEnd);
  }
  // A new session came before the second report, and readings of it knew the time.
  expect(temperatures.some((line) => line.session === 3 && line.timeFrom === "device")).toBe(true);
  // What has a date has the right one.
  for (const line of temperatures.filter(({ timeFrom }) => timeFrom !== "arrival")) {
    const late = line.time - (measured[numberOf(line)] as number);
    expect(Math.abs(late), `measurement ${numberOf(line)}`).toBeLessThan(TOLERANCE);
  }

  const database = new Database(receiver.database, { readonly: true });
  const undated = database
    .prepare("SELECT DISTINCT session FROM measurement WHERE time_from = 'arrival'")
    .pluck()
    .all();
  database.close();
  expect(undated).toEqual([1]);
});
