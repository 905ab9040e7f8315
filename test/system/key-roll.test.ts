/** A device that rolls its key, twice, as a user types it. */
import { afterEach, expect, it } from "vitest";
import { boardFiles } from "../../simulator/launch.ts";
import { temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import type { StoredLine } from "../support/serve.ts";
import { begin } from "../support/whole-life.ts";

const NAMES = { deviceId: "greenhouse-north", userId: "ann-of-the-hill" };
const READINGS = 3;
const KNOWN = /^new key known to the cloud: the old one is erased$/;
const READING = /"sequence":\d+/;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

it("goes on under another name, and the log tells of it", { timeout: 240_000 }, async () => {
  const [directory, remove] = await temporaryDirectory("key-roll");
  cleanUp.push(remove);
  const broker = await startMosquitto();
  cleanUp.push(broker.close);
  const { receiver, screen, printed, run, provision } = await begin({
    ...{ directory, cleanUp, names: NAMES, files: boardFiles("linux") },
    broker: {
      device: () => ({ host: broker.host, port: broker.port }),
      cloud: broker.url,
      operator: broker.url,
    },
  });
  const ask = (...words: string[]) => run(...words, "--db", receiver.database);
  const update = (period: number) =>
    provision("update", ...`--period 0=${period} --qos 0=1 --drop 0=oldest`.split(" "));
  const kids = () => [
    ...new Set(screen.lines.flatMap((line) => /, device ([0-9a-f]{16})$/.exec(line)?.[1] ?? [])),
  ];
  const stored = () => printed.lines.map((line) => JSON.parse(line) as StoredLine);
  async function readMore(): Promise<void> {
    let from = printed.lines.length;
    for (let i = 0; i < READINGS; i++) from = await printed.line(READING, from);
  }

  await screen.line(/^state: streaming$/);
  await update(1);
  await readMore();
  expect(await provision("update", "--roll")).toMatch(/rolled/);
  const changed = await screen.line(/^new key in use: restarting with it$/);
  expect(kids()).toHaveLength(1);
  const known = await screen.line(KNOWN, changed);
  await readMore();

  const [before, after] = kids();
  expect(after).not.toBe(before);
  const list = await ask("device", "list");
  expect(list).toMatch(new RegExp(`${after}.* enrolled +${NAMES.deviceId} +${NAMES.userId}`));
  expect(list).toMatch(new RegExp(`${before}.* rolled`));
  // The next command goes to the new key, under the same name; its counter went over.
  expect(await update(2)).toMatch(/done/);
  expect(await provision("update", "--roll")).toMatch(/rolled/);
  await screen.line(KNOWN, known);
  expect(kids()).toHaveLength(3);

  expect(await ask("audit", "verify")).toMatch(/^whole: /);
  const audit = await ask("audit", "tail", "--count", "1000");
  for (const kid of kids().slice(1)) expect(audit).toMatch(new RegExp(`rolled.*${kid}`));
  // None is there twice.
  const places = stored()
    .filter(({ sequence }) => sequence !== undefined)
    .map(({ device, session, sequence, name }) => `${device} ${session} ${sequence} ${name}`);
  expect(new Set(places).size).toBe(places.length);
  expect(places.length).toBeGreaterThan(2 * READINGS);
});
