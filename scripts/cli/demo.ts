/** `coseflow demo`: a broker, the cloud and a simulated board in one process, live. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import { readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import type { Measurement } from "../../cloud/receiver/view.ts";
import { type Cloud, startCloud } from "../../cloud/service.ts";
import { TOPIC_PREFIX } from "../../protocol/topics.ts";
import {
  boardFiles,
  isStartFailure,
  type LaunchedDevice,
  launchDevice,
} from "../../simulator/launch.ts";
import { type BrokerSettings, brokerSettings } from "./broker-settings.ts";
import { createPairing, HEADING, WIDTH } from "./demo-view.ts";
import { datedToNdjson, eventToNdjson, toNdjson } from "./output.ts";

export interface DemoOptions {
  /** Name of a board file. */
  board: string;
  /** Measurements after which the demo ends; undefined runs until stopped. */
  readings?: number | undefined;
  /** Measurements as NDJSON on stdout, and nothing else there. */
  json: boolean;
  /** mqtt://host:port of a broker of the user's, in place of one in this process. */
  broker?: string | undefined;
  /** Port of the broker in this process; 0 takes a free one. */
  port: number;
  stdout: (line: string) => void;
  stderr: (line: string) => void;
  /** Ends the demo, as Ctrl-C does; a rejection is why it failed. */
  stopped: Promise<void>;
}

/** Undone in reverse order, whatever happened in between. */
type Undo = () => void | Promise<void>;

/** Long enough for a broker on the other side of the world, short enough to wait for. */
const CONNECT_TIMEOUT_MS = 10_000;

async function undoAll(undo: Undo[]): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}

async function startBroker(port: number, undo: Undo[]): Promise<string> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  undo.push(async () => {
    await new Promise<void>((closed) => aedes.close(closed));
    server.close();
  });
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const cause = { EADDRINUSE: "it is in use", EACCES: "no permission" }[code ?? ""] ?? code;
    throw new Error(`port ${port}, expected one to listen on, got: ${cause}`);
  }
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What anybody with access to the broker can do: subscribe to everything. */
async function watch(url: string, undo: Undo[]): Promise<MqttClient> {
  const client = mqtt.connect(url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  undo.push(() => client.endAsync(true));
  await new Promise<void>((resolve, reject) => {
    const refuse = (why: string) =>
      reject(new Error(`broker ${new URL(url).host}, expected a connection, got: ${why}`));
    client.once("connect", () => resolve());
    client.once("error", (error) => refuse("code" in error ? String(error.code) : error.message));
    client.once("close", () => refuse("it closed the connection"));
  });
  await client.subscribeAsync(`${TOPIC_PREFIX}/+/+`, { qos: 0 });
  return client;
}

/** Takes measurements until there are enough; groups those of one reading for the view. */
function createCounter(options: DemoOptions, enough: () => void) {
  let left = options.readings ?? Number.POSITIVE_INFINITY;
  return function take(measurement: Measurement): boolean {
    if (left <= 0) return false;
    left--;
    if (options.json) options.stdout(toNdjson(measurement));
    if (left === 0) enough();
    return true;
  };
}

const REGISTER = /^register it: coseflow device register --key ([0-9a-f]{130})$/;

/** What the demo runs on, once the broker answers. */
interface Scene {
  directory: string;
  url: string;
  broker: BrokerSettings;
  watcher: MqttClient;
}

const keysOf = (scene: Scene) => join(scene.directory, "keys");

/** How the demo ends: enough readings, the signal, or a failure of any part. */
interface Ending {
  reached: Promise<void>;
  finish(): void;
  fail(error: Error): void;
}

function createEnding(stopped: Promise<void>): Ending {
  let finish = () => {};
  let fail = (_error: Error) => {};
  const reached = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  // Reached while the parts still start, a failure is reported once they are asked for it.
  reached.catch(() => {});
  stopped.then(finish, fail);
  return { reached, finish, fail };
}

/** The cloud, telling the view what it opens, and stdout when that is NDJSON. */
async function openCloud(options: DemoOptions, scene: Scene, ending: Ending): Promise<Cloud> {
  const pairing = createPairing((line) => {
    if (!options.json) options.stdout(line);
  });
  scene.watcher.on("message", (topic, payload) => pairing.seen(TOPIC_PREFIX, topic, payload));
  const take = createCounter(options, ending.finish);
  let group: Measurement[] = [];
  const keys = keysOf(scene);
  await initKeys(keys);
  return await startCloud({
    broker: scene.url,
    keys,
    database: join(scene.directory, "coseflow.db"),
    onReading(measurement) {
      if (!take(measurement)) return;
      // The measurements of one reading come in one turn of the event loop.
      if (group.length === 0)
        queueMicrotask(() => {
          pairing.opened(group);
          group = [];
        });
      group.push(measurement);
    },
    onDated(measurement) {
      if (options.json) options.stdout(datedToNdjson(measurement));
    },
    onEvent(records, message) {
      pairing.openedEvent(records, message);
      if (options.json) for (const record of records) options.stdout(eventToNdjson(record));
    },
    log(line) {
      if (line.event === "refused") options.stderr(`cloud: ${JSON.stringify(line)}`);
    },
  });
}

/** Boots the board; what it asks for on its console, a person would type: registering its key. */
function bootDevice(
  options: DemoOptions,
  scene: Scene,
  cloud: Cloud,
  ending: Ending,
): LaunchedDevice {
  return launchDevice({
    files: boardFiles(options.board),
    directory: join(scene.directory, "device"),
    settings: { brokers: [scene.broker], ...readDeviceTrust(keysOf(scene)) },
    console(line) {
      const key = REGISTER.exec(line)?.[1];
      if (key !== undefined) cloud.registerDevice(key, options.board).catch(ending.fail);
      if (isStartFailure(line)) ending.fail(new Error(line));
      else if (!options.json) options.stderr(`device: ${line.slice(0, WIDTH - 8)}`);
    },
  });
}

function announce(options: DemoOptions, { kind, reason }: LaunchedDevice["devcrypto"]): void {
  if (kind === "stand-in")
    options.stderr(`crypto: node:crypto stands in for the C module (${reason})`);
  else if (!options.json) options.stderr("crypto: the C module on mbedTLS, as on a board");
}

/** Starts the parts one after the other; what each must undo is noted as soon as it is there. */
async function start(options: DemoOptions, ending: Ending, undo: Undo[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "coseflow-demo-"));
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  const url = options.broker ?? (await startBroker(options.port, undo));
  const broker = brokerSettings(url);
  const watcher = await watch(url, undo);
  watcher.once("close", () => ending.fail(new Error("broker, expected it to stay, got its end")));
  const scene = { directory, url, broker, watcher };
  const cloud = await openCloud(options, scene, ending);
  undo.push(() => cloud.close());
  if (!options.json) for (const line of HEADING) options.stdout(line);
  const device = bootDevice(options, scene, cloud, ending);
  undo.push(() => device.powerOff());
  announce(options, device.devcrypto);
}

/** Runs the demo to its end: enough readings, or being stopped. Rejects when it cannot go on. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const undo: Undo[] = [];
  const ending = createEnding(options.stopped);
  const started = start(options, ending, undo);
  try {
    await Promise.race([started.then(() => ending.reached), ending.reached]);
  } finally {
    // Stopped in the middle of the start, the part at hand fails for want of what is undone
    // under it, or is there a moment later: then it is undone as well.
    await undoAll(undo);
    await started.catch(() => {});
    await undoAll(undo);
  }
}
