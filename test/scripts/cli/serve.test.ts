import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readCloudPublicKey } from "../../../cloud/keys/cloud-keys.ts";
import { runCli } from "../../../scripts/cli/program.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { celsius, openTestDevice, wire } from "../../cloud/support/test-device.ts";
import { freePort } from "../../support/free-port.ts";
import { type Mosquitto, startMosquitto } from "../../support/mosquitto.ts";
import { silent } from "./run.ts";

const PROGRAM = join(import.meta.dirname, "../../../dist/scripts/coseflow.js");
const temporary = temporaryDirectories();
const closers: (() => unknown)[] = [];
let broker: Mosquitto;

beforeAll(async () => {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM}, expected a build: run tsc -b`);
  broker = await startMosquitto();
});
afterAll(() => broker?.close());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A directory with keys, and a device registered in its database. */
async function prepare() {
  const directory = temporary();
  const keys = join(directory, "keys");
  const db = join(directory, "cloud.db");
  const device = openTestDevice();
  closers.push(() => device.close());
  await runCli(["ca", "init", "--dir", keys], silent);
  await runCli(
    ["device", "register", "--key", device.publicKey, "--name", "shed", "--db", db],
    silent,
  );
  const session = device.openSession(readCloudPublicKey(keys));
  return { device, session, args: ["--keys", keys, "--db", db] };
}

interface Serving {
  child: ChildProcess;
  /** Lines of standard output and of standard error. */
  out: string[];
  error: string[];
}

function serve(url: string, args: string[], env: NodeJS.ProcessEnv = {}): Serving {
  const child = spawn(process.execPath, [PROGRAM, "serve", "--broker", url, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  closers.push(() => child.kill("SIGKILL"));
  const serving: Serving = { child, out: [], error: [] };
  createInterface({ input: child.stdout }).on("line", (line) => serving.out.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => serving.error.push(line));
  return serving;
}

const connected = ({ error }: Serving) =>
  expect.poll(() => error.join("\n")).toContain('"event":"connected"');

async function publisher(url = broker.url) {
  const client = await mqtt.connectAsync(url);
  closers.push(() => client.endAsync());
  return client;
}

describe("coseflow serve", () => {
  it("prints each reading as a line of JSON and ends cleanly on SIGTERM", async () => {
    const { device, session, args } = await prepare();
    const serving = serve(broker.url, [...args, "--json"]);
    await connected(serving);
    const client = await publisher();
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    const reading = wire(device.seal(session, celsius(2150)));
    for (let i = 0; i < 2; i++)
      await client.publishAsync(device.topic("reading"), reading, { qos: 1 });
    await client.publishAsync(device.topic("reading"), "garbage", { qos: 1 });
    await expect.poll(() => serving.error.join("\n")).toContain('"event":"refused"');
    expect(serving.out.map((line) => JSON.parse(line))).toEqual([
      {
        device: "shed",
        session: 1,
        sequence: 1,
        name: "temperature",
        unit: "Cel",
        value: 21.5,
        time: expect.closeTo(Date.now() / 1000, -2),
        timeFrom: "arrival",
      },
    ]);
    const refused = serving.error.map((line) => JSON.parse(line)).find((line) => line.reason);
    expect(refused).toEqual({
      event: "refused",
      reason: "profile",
      class: "reading",
      kid: device.kidHex,
    });
    serving.child.kill("SIGTERM");
    expect(await once(serving.child, "exit")).toEqual([0, null]);
  });

  it("prints events as lines of JSON of their kind, and as text", async () => {
    const { device, session, args } = await prepare();
    const cloudKey = readCloudPublicKey(args[1] as string);
    const client = await publisher();
    const shown: string[] = [];
    for (const format of [["--json"], []]) {
      const serving = serve(broker.url, [...args, ...format]);
      await connected(serving);
      const { message } = device.makeEvent(cloudKey);
      for (let i = 0; i < 2; i++)
        await client.publishAsync(device.topic("event"), wire(message), { qos: 2 });
      await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
      await expect.poll(() => serving.error.join("\n")).toContain('"event":"session"');
      expect(serving.out).toHaveLength(1);
      shown.push(...serving.out);
      const logged = serving.error.map((line) => JSON.parse(line));
      expect(logged.filter(({ event }) => event === "event")).toEqual(
        [false, true].map((repeat) => ({
          event: "event",
          device: "shed",
          kid: device.kidHex,
          repeat,
        })),
      );
      serving.child.kill("SIGTERM");
      expect(await once(serving.child, "exit")).toEqual([0, null]);
    }
    const [json = "", text = ""] = shown;
    expect(JSON.parse(json)).toEqual({
      kind: "event",
      device: "shed",
      counter: 2,
      name: "door",
      value: true,
      time: expect.closeTo(Date.now() / 1000, -2),
      timeFrom: "arrival",
    });
    expect(text).toMatch(/^20\S+Z {2}shed {2}door true {2}\(event 3, dated on arrival\)$/);
  });

  it("prints text for people", async () => {
    const { device, session, args } = await prepare();
    const serving = serve(broker.url, args);
    await connected(serving);
    const client = await publisher();
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    const reading = wire(device.seal(session, celsius(-250)));
    await client.publishAsync(device.topic("reading"), reading, { qos: 0 });
    await expect.poll(() => serving.out).toHaveLength(1);
    expect(serving.out[0]).toMatch(
      /^20\S+Z {2}shed {2}temperature -2.5 Cel {2}\(session 1, reading 1, dated on arrival\)$/,
    );
    serving.child.kill("SIGINT");
    expect(await once(serving.child, "exit")).toEqual([0, null]);
  });

  it("loses nothing when it is killed between messages that the broker has taken", async () => {
    const { device, session, args } = await prepare();
    const client = await publisher();
    const first = serve(broker.url, [...args, "--json"]);
    await connected(first);
    await client.publishAsync(device.topic("session"), wire(session.message), { qos: 2 });
    const sendSome = async () => {
      for (let i = 0; i < 40; i++) {
        const reading = wire(device.seal(session, celsius(i)));
        await client.publishAsync(device.topic("reading"), reading, { qos: 1 });
      }
    };
    const sending = sendSome();
    await expect.poll(() => first.out.length).toBeGreaterThan(3);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    await sending;
    const second = serve(broker.url, [...args, "--json"]);
    const sequences = () =>
      [...first.out, ...second.out].map((line) => JSON.parse(line).sequence as number);
    const list = async () => {
      let json = "";
      await runCli(["device", "list", "--json", ...args.slice(2)], {
        ...silent,
        out: (text) => {
          json += text;
        },
      });
      return JSON.parse(json).readings;
    };
    await expect.poll(list).toBe(40);
    // Printing comes after storing: what was stored but not printed at the kill is not printed twice.
    expect(new Set(sequences()).size).toBe(sequences().length);
  });

  it("keeps trying while the broker is down, without telling the password", async () => {
    const { args } = await prepare();
    const port = await freePort();
    const serving = serve(`mqtt://cloud:hunter2@127.0.0.1:${port}`, args, {
      COSEFLOW_BROKER_PASSWORD: "hunter2",
    });
    await expect.poll(() => serving.error.length).toBeGreaterThan(1);
    expect(serving.error[0]).toContain("connection refused");
    serving.child.kill("SIGTERM");
    expect(await once(serving.child, "exit")).toEqual([0, null]);
    expect([...serving.error, ...serving.out].join()).not.toContain("hunter2");
  });
});
