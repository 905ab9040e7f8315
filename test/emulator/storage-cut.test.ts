/**
 * The power is cut at every write of Espruino's own compaction of its Storage. It loses files
 * there; so nothing that changes in the field may lie in it, and nothing does: the C module's
 * store is not touched, and after flashing again the device is the one it was.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { freePort } from "../support/free-port.ts";
import { makeTrust } from "../support/trust.ts";
import { boot, describeEspruino, runScript, writeFlash } from "./espruino.ts";

const IMAGE = "espruino.flash";
const STORE = "espruino.devcrypto";
const BOARD = {
  name: "storage",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 16 },
};
/** Files that an update may have left behind lie before the rest, so that all has to move. */
const OLD_BYTES = 9000;

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Write {
  at: number;
  bytes: Buffer;
}

function readLog(file: string): Write[] {
  const log = readFileSync(file);
  const writes: Write[] = [];
  for (let at = 0; at < log.length; ) {
    const length = log.readUInt32LE(at + 4);
    writes.push({ at: log.readUInt32LE(at), bytes: log.subarray(at + 8, at + 8 + length) });
    at += 8 + length;
  }
  return writes;
}

/** The flash after each write but the last, and after half of each. */
function cutImages(before: Buffer, writes: Write[]): Buffer[] {
  const image = Buffer.from(before);
  return writes.flatMap(({ at, bytes }) => {
    const untouched = Buffer.from(image);
    bytes.copy(image, at, 0, bytes.length >> 1);
    const half = Buffer.from(image);
    bytes.copy(image, at);
    return [untouched, half];
  });
}

function storeContent(directory: string): { [name: string]: string } {
  const names = readdirSync(join(directory, STORE)).filter((name) => !name.endsWith(".lock"));
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, STORE, name), "hex")]),
  );
}

/** Which of the files are not as they were, by what the interpreter reads. */
async function damaged(directory: string, files: { [name: string]: string }): Promise<string[]> {
  const script = `print("sums " + JSON.stringify(${JSON.stringify(Object.keys(files))}
    .map(function (name) {
      var content = require("Storage").read(name);
      return content ? E.CRC32(content) : 0;
    })));`;
  const [, sums] = await runScript(directory, script, /^sums (.*)$/);
  const got = JSON.parse(sums as string) as number[];
  return Object.keys(files).filter((name, at) => String(got[at]) !== files[name]);
}

async function counterOf(directory: string): Promise<[key: string, session: number]> {
  const device = boot(directory);
  try {
    const [, key] = await device.line(/--key ([0-9a-f]{130})/);
    const [state] = await device.line(/^state: network|cannot start.*/);
    expect(state).toBe("state: network");
    const counter = await device.evaluate('require("devcrypto").nextDeviceCounter()');
    return [key as string, counter as number];
  } finally {
    await device.powerOff();
  }
}

describeEspruino("Espruino's Storage", () => {
  it("cut in its compaction loses files, and the device nothing of what it has to keep", {
    timeout: 600_000,
  }, async () => {
    const [directory, remove] = await temporaryDirectory("storage");
    cleanUp.push(remove);
    const shim = join(directory, "flash-log.so");
    const source = join(import.meta.dirname, "flash-log.c");
    execFileSync("cc", ["-shared", "-fPIC", "-o", shim, source, "-ldl"]);
    const { bundle } = await bundleBoard(directory, BOARD);
    const content = {
      old: "o".repeat(OLD_BYTES),
      "coseflow.json": JSON.stringify({
        brokers: [{ host: "127.0.0.1", port: await freePort() }],
        ...(await makeTrust()),
      }),
      ".bootcde": readFileSync(bundle),
    };
    await writeFlash(directory, content);
    const flashed = readFileSync(join(directory, IMAGE));
    const [key, first] = await counterOf(directory);
    // The device itself writes nothing there.
    expect(readFileSync(join(directory, IMAGE)).equals(flashed)).toBe(true);
    const kept = storeContent(directory);
    expect(Object.keys(kept).length).toBeGreaterThan(2);

    const sums = `["coseflow.json", ".bootcde"].map(function (name) {
      return E.CRC32(require("Storage").read(name));
    })`;
    await runScript(directory, `require("Storage").erase("old"); print("erased");`, /^erased/);
    const [, whole] = await runScript(
      directory,
      `print("sums " + JSON.stringify(${sums}));`,
      /^sums (.*)$/,
    );
    const [settings, program] = JSON.parse(whole as string) as number[];
    const files = { "coseflow.json": `${settings}`, ".bootcde": `${program}` };
    const before = readFileSync(join(directory, IMAGE));
    const log = join(directory, "log");
    await runScript(directory, 'require("Storage").compact(); print("compacted");', /compacted/, {
      LD_PRELOAD: shim,
      FLASH_LOG: log,
    });
    const images = cutImages(before, readLog(log));
    expect(images.length).toBeGreaterThan(20);
    expect(await damaged(directory, files)).toEqual([]);

    const lost: { [name: string]: number } = {};
    for (const image of images) {
      writeFileSync(join(directory, IMAGE), image);
      for (const name of await damaged(directory, files)) lost[name] = (lost[name] ?? 0) + 1;
    }
    console.log(`Storage's compaction cut ${images.length} times: lost ${JSON.stringify(lost)}`);
    // Were there no damage, this would not be the Storage that it is about.
    expect(Object.values(lost).length).toBeGreaterThan(0);

    expect(storeContent(directory)).toEqual(kept);
    writeFileSync(join(directory, IMAGE), flashed);
    const [again, later] = await counterOf(directory);
    expect(again).toBe(key);
    expect(later).toBe(first + 2);
  });
});
