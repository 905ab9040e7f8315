/**
 * Deep sleep of the flashed bundle in Espruino, on a computer that plays the chip: what ESP32 and
 * Wifi are there is a script in flash, and their sleep ends the program. The C module for a
 * computer keeps no session over it; how one goes on is run with a key that stays in its memory.
 */
import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, expect, it } from "vitest";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";

const SECONDS = 900;
const WAKES = 4;
const BOARD = {
  name: "sleeper",
  network: "wifi",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 8, flash: 64 },
  sleep: { seconds: SECONDS, awakeSeconds: 60 },
};
const WIFI = { ssid: "the-network", password: "wifi-password" };

/** What of an ESP32 the bundle asks for. Espruino runs this before the bundle. */
const CHIP = `
var wake = 0, sleeps = 0;
var ESP32 = {
  getWakeupCause: function () { return wake; },
  getState: function () { return { freeHeap: 100000 }; },
  deepSleep: function (us) {
    print("sleep " + (++sleeps) + " for " + us + ", variables " + process.memory().usage);
    fallAsleep();
  },
};
Modules.addCached("Wifi", 'exports.connect=function(s,o,f){setTimeout(f,10,null)};' +
  'exports.disconnect=function(){};exports.setIP=function(){};exports.on=function(){};' +
  'exports.getIP=function(){return{ip:"10.0.0.2"}};' +
  'exports.getStatus=function(){return{station:"connected",rssi:-60}}');
`;

/** Nothing of the program runs any more; the next power cycle is a wake. */
const CUT = `
wake = require("Storage").read("woke") === undefined ? 0 : 4;
function fallAsleep() {
  require("Storage").write("woke", "1");
  clearTimeout();
}
`;

/**
 * As a chip with RTC memory does: the program ends, and begins again without anything of it but
 * the key, in the same process. Its module is the C module, but for the two functions.
 */
const kept = (functions: string[]) => `
var key, before;
function run() {
  print("begins with " + process.memory().usage);
  setTimeout('eval(require("Storage").read("app"))', 1);
}
function fallAsleep() {
  clearTimeout();
  process.removeAllListeners("uncaughtException");
  Object.keys(global).forEach(function (name) {
    if (before.indexOf(name) < 0) delete global[name];
  });
  wake = 4;
  setTimeout(run, 500);
}
var real = require("devcrypto");
Modules.addCached("devcrypto", ${JSON.stringify(functions)}.map(function (name) {
  return "exports." + name + "=real." + name + ";";
}).join("") + 'exports.keepSession=function(k){key=k};exports.resumeSession=function(){' +
  'var k=wake?key:undefined;key=undefined;return k}');
before = Object.keys(global);
run();
`;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function flash(chip: string, name: string) {
  const [directory, remove] = await temporaryDirectory("emulator-sleep");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  const { bundle } = await bundleBoard(directory, BOARD);
  await writeFlash(directory, {
    ".boot0": CHIP + chip,
    [name]: readFileSync(bundle),
    "coseflow.json": JSON.stringify({
      brokers: [{ host: broker.host, port: broker.port }],
      wifi: WIFI,
      ...receiver.trust,
      receiptSeconds: 10,
    }),
  });
  await receiver.start();
  cleanUp.push(receiver.kill);
  return { directory, receiver };
}

function start(directory: string): Interpreter {
  const device = boot(directory);
  cleanUp.push(device.powerOff);
  return device;
}

/** The line with which its sleep of this number begins. */
const asleep = (number: number) => new RegExp(`^sleep ${number} for (\\d+), variables (\\d+)$`);

/** What the module offers, beside deep sleep. */
function listFunctions(directory: string): string[] {
  const { keepSession, resumeSession, close, ...others } = openStandIn(directory);
  close();
  return Object.keys(others);
}

/** [session, sequence] of the readings in the database, in order. */
function rowsOf(path: string): number[][] {
  const database = new Database(path, { readonly: true });
  try {
    return database
      .prepare("SELECT session, sequence FROM reading ORDER BY session, sequence")
      .raw()
      .all() as number[][];
  } finally {
    database.close();
  }
}

/** By whose word each reading is dated, in order, and how many events there are. */
function datesOf(path: string): { from: string[]; events: number } {
  const database = new Database(path, { readonly: true });
  try {
    const from = database
      .prepare("SELECT DISTINCT sequence, time_from FROM measurement ORDER BY session, sequence")
      .all() as { time_from: string }[];
    const events = database.prepare("SELECT count(*) FROM event").pluck().get() as number;
    return { from: from.map((row) => row.time_from), events };
  } finally {
    database.close();
  }
}

function expectNoErrors({ lines }: Interpreter): void {
  expect(lines.filter((line) => /Uncaught|New interpreter error/.test(line))).toEqual([]);
}

describeEspruino("a board that sleeps, in Espruino", () => {
  it("wakes, sends one reading and sleeps, in a new session where the module keeps none", {
    timeout: 240_000,
  }, async () => {
    const { directory, receiver } = await flash(CUT, ".bootcde");
    for (let wake = 0; wake < WAKES; wake++) {
      const device = start(directory);
      if (wake === 0) {
        const [, key] = await device.line(/--key ([0-9a-f]{130})/);
        await receiver.command("device", "register", "--key", key as string, "--name", "sleeper");
      }
      const [, us] = await device.line(asleep(1));
      expect(Number(us)).toBe(SECONDS * 1_000_000);
      const printed = device.lines.join("\n");
      expect(printed).toMatch(/session not kept over sleep: keepSession: port, expected it/);
      expectNoErrors(device);
      await device.powerOff();
    }
    const upTo = Array.from({ length: WAKES }, (_, wake) => [wake + 1, 1]);
    expect(rowsOf(receiver.database)).toEqual(upTo);
  });

  it("goes on in its session where the key is kept", { timeout: 240_000 }, async () => {
    const [place, remove] = await temporaryDirectory("emulator-sleep");
    cleanUp.push(remove);
    const { directory, receiver } = await flash(kept(listFunctions(place)), "app");
    const device = start(directory);
    const [, key] = await device.line(/--key ([0-9a-f]{130})/);
    await receiver.command("device", "register", "--key", key as string, "--name", "sleeper");
    const used: number[] = [];
    for (let wake = 1; wake <= WAKES; wake++) {
      const [, us, variables] = await device.line(asleep(wake));
      expect(Number(us)).toBe(SECONDS * 1_000_000);
      used.push(Number(variables));
    }
    expectNoErrors(device);
    await device.powerOff();
    expect(rowsOf(receiver.database)).toEqual(used.map((_count, wake) => [1, wake + 1]));
    // The first came before any receipt. One health record, at the second wake.
    const { from, events } = datesOf(receiver.database);
    expect(from).toEqual(used.map((_count, wake) => (wake === 0 ? "arrival" : "device")));
    expect(events).toBe(1);
    console.log(`in Espruino: ${used} of 4095 variables at the end of each wake`);
  });
});
