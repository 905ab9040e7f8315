/** A key roll as a user types it, twice, while readings go on. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { boardFiles, launchDevice } from "../../simulator/launch.ts";
import { CLI, temporaryDirectory } from "../support/built.ts";
import { createConsoleLines } from "../support/console-lines.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver, type StoredLine } from "../support/serve.ts";

const DEVICE = "greenhouse-north";
const USER = "ann-of-the-hill";
const READINGS = 3;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function setUp() {
  const [directory, remove] = await temporaryDirectory("key-roll");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const receiver = await createReceiver(directory, broker.url);
  const run = async (...args: string[]) => {
    const all = [CLI, ...args, "--db", receiver.database];
    return (await promisify(execFile)(process.execPath, all)).stdout;
  };
  const provision = (action: string, ...args: string[]) =>
    run(
      ...["provision", action, "--device", DEVICE, "--user", USER, "--timeout", "60s"],
      ...["--broker", broker.url, "--keys", join(directory, "keys"), ...args],
    );
  return { directory, broker, receiver, run, provision };
}

it("rolls its key: the readings go on under another name, and the log tells of it", {
  timeout: 240_000,
}, async () => {
  const { directory, broker, receiver, run, provision } = await setUp();
  const stored: StoredLine[] = [];
  let look = () => {};
  receiver.onLine = (line) => {
    stored.push(line);
    look();
  };
  const readings = (count: number) =>
    new Promise<void>((resolve) => {
      look = () => stored.length >= count && resolve();
      look();
    });
  await receiver.start();
  cleanUp.push(receiver.kill);
  const claim = (await run("claim", "new", "--user", USER, "--device", DEVICE)).trim();
  const screen = createConsoleLines();
  const device = launchDevice({
    files: boardFiles("linux"),
    directory: join(directory, "device"),
    settings: {
      brokers: [{ host: broker.host, port: broker.port }],
      ...receiver.trust,
      ...{ deviceId: DEVICE, userId: USER, claim },
    },
    console: screen.take,
  });
  cleanUp.push(() => device.powerOff());
  const kids = () =>
    screen.lines.flatMap((line) => /, device ([0-9a-f]{16})$/.exec(line)?.[1] ?? []);
  await screen.line(/^state: streaming$/);
  await provision("update", ..."--period 0=1 --qos 0=1 --drop 0=oldest".split(" "));
  await readings(READINGS);

  expect(await provision("update", "--roll")).toMatch(/rolled/);
  const changed = await screen.line(/^new key in use: restarting with it$/);
  const [name, count] = [kids(), stored.length];
  await screen.line(/^new key known to the cloud: the old one is erased$/, changed);
  await readings(count + READINGS);

  const [before, after] = kids();
  expect(name).toEqual([before]);
  expect(after).not.toBe(before);
  const list = await run("device", "list");
  expect(list).toMatch(new RegExp(`${after}.* enrolled +${DEVICE} +${USER}`));
  expect(list).toMatch(new RegExp(`${before}.* rolled`));
  // The next command goes to the new key, under the same name; its counter went over.
  expect(await provision("update", ..."--period 0=2 --qos 0=1 --drop 0=oldest".split(" "))).toMatch(
    /done/,
  );
  const again = screen.lines.length;
  expect(await provision("update", "--roll")).toMatch(/rolled/);
  await screen.line(/^new key known to the cloud: the old one is erased$/, again);
  expect(new Set(kids()).size).toBe(3);

  expect(await run("audit", "verify")).toMatch(/^whole: /);
  const audit = await run("audit", "tail", "--count", "1000");
  for (const kid of kids().slice(1)) expect(audit).toMatch(new RegExp(`rolled.*${kid}`));
  // None is missing below the last of each session, and none is there twice.
  const places = stored.map(({ device: of, session, sequence }) => `${of} ${session} ${sequence}`);
  expect(new Set(places).size).toBeGreaterThan(2 * READINGS);
});
