/**
 * A device's life as a user types it: claim, boot, enrolled, update, request, delete. Meanwhile a
 * stranger who subscribes to everything keeps every topic and byte, and looks for what must not be there.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import mqtt from "mqtt";
import { afterEach, expect, it } from "vitest";
import { boardFiles, launchDevice } from "../../simulator/launch.ts";
import { CLI, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";

const DEVICE = "greenhouse-north";
const USER = "ann-of-the-hill";
const READINGS = 3;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Lines of a device's console, and a wait for one of them. */
function createConsole() {
  const lines: string[] = [];
  const looks = new Set<() => void>();
  return {
    lines,
    take(line: string) {
      lines.push(line);
      for (const look of looks) look();
    },
    line: (pattern: RegExp, from = 0) =>
      new Promise<number>((resolve) => {
        const look = () => {
          const at = lines.findIndex((line, index) => index >= from && pattern.test(line));
          if (at < 0) return;
          looks.delete(look);
          resolve(at + 1);
        };
        looks.add(look);
        look();
      }),
  };
}

async function setUp() {
  const [directory, remove] = await temporaryDirectory("provisioning");
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
  const seen: string[] = [];
  const stranger = await mqtt.connectAsync(broker.url);
  cleanUp.push(() => stranger.endAsync(true));
  stranger.on("message", (topic, payload) => seen.push(topic, payload.toString("latin1")));
  await stranger.subscribeAsync("#", { qos: 2 });
  return { directory, broker, receiver, run, provision, seen };
}

it("enrols, obeys and ends, and nobody in between can read who or what", {
  timeout: 240_000,
}, async () => {
  const { directory, broker, receiver, run, provision, seen } = await setUp();
  let stored = 0;
  const readings = new Promise<void>((resolve) => {
    receiver.onLine = () => {
      stored++;
      if (stored === READINGS) resolve();
    };
  });
  await receiver.start();
  cleanUp.push(receiver.kill);
  const claim = (await run("claim", "new", "--user", USER, "--device", DEVICE)).trim();
  expect(claim).toMatch(/^[0-9a-f]{32}$/);

  const screen = createConsole();
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
  const enrolled = await screen.line(/^enrolled as greenhouse-north of ann-of-the-hill$/);
  await screen.line(/^state: streaming$/, enrolled);
  await readings;

  await provision("update", ..."--period 0=1 --qos 0=1 --drop 0=oldest".split(" "));
  const before = screen.lines.length;
  await provision("request");
  await screen.line(/^enrolled as/, before);
  // The claim is spent: what was asked for was the same user, by the same key.
  expect(await run("device", "list")).toMatch(/enrolled +greenhouse-north +ann-of-the-hill/);
  await provision("delete");
  await screen.line(/^device deprovisioned: nothing is left$/);
  expect(await run("device", "list")).toMatch(/deleted +greenhouse-north/);
  expect(await run("audit", "verify")).toMatch(/^whole: /);

  const classes = new Set(seen.map((text) => /^cf\/1\/[0-9a-f]{16}\/(\w+)$/.exec(text)?.[1]));
  for (const name of ["enrol", "enrolled", "session", "reading", "command", "reply"])
    expect(classes, name).toContain(name);
  const traffic = seen.join("\n");
  const secret = Buffer.from(claim, "hex");
  const words = [DEVICE, USER, claim, "memory", "load", "request", "update", "delete"];
  const forms = words.flatMap((word) => {
    const bytes = Buffer.from(word);
    return [word, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, "")];
  });
  for (const form of [...forms, secret.toString("latin1"), secret.toString("base64")])
    expect(traffic.includes(form), form).toBe(false);
});
