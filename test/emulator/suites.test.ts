/**
 * The tests of protocol/ and firmware/ in Espruino. They run in Node first, with a recorder
 * between them and the device's code; what crossed there is then done again with that code in the
 * interpreter, from flash. So every call of every test, with what its oracles and brokers
 * answered, has the same outcome there, though Espruino has neither fast-check nor cbor-x.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryDirectory } from "../support/built.ts";
import { boot, describeEspruino, writeFlash } from "./espruino.ts";
import { bundlePlayer, deviceExports } from "./suites/bundle.ts";
import { type Log, toText } from "./suites/log.ts";

const ROOT = join(import.meta.dirname, "../..");
const RECORDING_MS = 600_000;
/** The interpreter does some 300 lines a second on an idle machine, and 20 where it has little of it. */
const PLAYING_MS = 1_800_000;
/** The player calls the code and is called by it: its frames stand between those a board would have. */
const STACK = { ESPRUINO_STACK: "200000" };
/** Names of the language that the interpreter holds once used. What more is left it never gives back. */
const MOST_LEFT = 60;
/** Lines of the recording around the one that differs. */
const CONTEXT = 3;

/** Files whose tests cannot be done again, and why. */
const LEFT_OUT: { [file: string]: string } = {
  "test/firmware/espruino/clock.test.ts": "it takes Node's clock for Espruino's",
};

const files = [..."protocol firmware".split(" ")]
  .flatMap((folder) =>
    readdirSync(join(ROOT, "test", folder), { recursive: true, encoding: "utf8" }).map(
      (name) => `test/${folder}/${name}`,
    ),
  )
  .filter((file) => file.endsWith(".test.ts") && !(file in LEFT_OUT))
  .sort();

let directory: string;
let remove: () => Promise<void>;

async function recordAll(): Promise<void> {
  await writeFile(join(directory, "exports.json"), JSON.stringify(await deviceExports(directory)));
  const config = join(import.meta.dirname, "suites/record.config.ts");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--config", config, ...files], {
    cwd: ROOT,
    env: { ...process.env, COSEFLOW_RECORD: directory },
  });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`tests with the recorder, expected to pass, got\n${output}`);
}

describeEspruino("tests in Espruino", () => {
  beforeAll(async () => {
    [directory, remove] = await temporaryDirectory("suites");
    await recordAll();
  }, RECORDING_MS);
  afterAll(() => remove());

  it.for(files)("%s", { timeout: PLAYING_MS }, async (file, { skip }) => {
    const name = `${file.replaceAll("/", "-")}.json`;
    const recording = join(directory, name);
    if (!existsSync(recording)) skip("its tests were skipped");
    const log = JSON.parse(readFileSync(recording, "utf8")) as Log;
    if (log.calls === 0) skip("it calls nothing that is on the device");
    const [flash, removeFlash] = await temporaryDirectory("suite");
    try {
      await writeFile(join(flash, "recording"), toText(log.lines));
      await writeFlash(flash, { ".bootcde": await bundlePlayer(log, "recording") });
      const device = boot(flash, STACK);
      try {
        const [end] = await device.line(/^played .*|^differs .*|Uncaught.*|LOW_MEMORY.*|MEMORY.*/);
        const at = Number(/at line (\d+)/.exec(end as string)?.[1] ?? 0);
        const around = log.lines
          .slice(Math.max(0, at - CONTEXT), at + 1)
          .map((line) => JSON.stringify(line));
        const played = /^played \d+ lines, (-?\d+) variables left$/.exec(end as string);
        expect(played, `${end}\n${around.join("\n")}`).not.toBeNull();
        const left = Number(played?.[1]);
        console.log(
          `${relative("test", file)}: ${log.calls} calls, ${log.callbacks} answers, ${log.unsaid} left out, ${left} variables left`,
        );
        expect(left).toBeLessThanOrEqual(MOST_LEFT);
      } finally {
        await device.powerOff();
      }
    } finally {
      await removeFlash();
    }
  });
});
