import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FlashFailure } from "../../../scripts/flash/failure.ts";
import { type Flashed, flashBoard, type Plan } from "../../../scripts/flash/flash-board.ts";
import { readImage } from "../../../scripts/flash/image.ts";
import type { LoaderEvent } from "../../../scripts/flash/loader.ts";
import { COMMAND, type Fault } from "../../support/esp-rom/esp-rom.ts";
import { KEY_ID, keyIdOf, PUBLIC_KEY } from "../../support/esp-rom/fake-board.ts";
import { makeParts } from "../../support/esp-rom/image.ts";
import { createMemoryPort, type MemoryPort } from "../../support/esp-rom/memory-port.ts";

const PARTS = makeParts();
const IMAGE = readImage(PARTS, { chip: "esp32-c3", flashMegabytes: 4 });
const BUNDLE = new TextEncoder().encode(`const a=1;${"/* the bundle */".repeat(200)}`);
const SETTINGS = new TextEncoder().encode('{"brokers":[{"password":"hush-hush"}]}');
const PLAN: Plan = {
  board: "fake",
  chip: "esp32-c3",
  image: IMAGE,
  bundle: BUNDLE,
  settings: SETTINGS,
  isLocked: false,
};

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

interface Run {
  port: MemoryPort;
  events: LoaderEvent[];
  result: Flashed | FlashFailure;
}

async function flash(
  port: MemoryPort,
  plan: Partial<Plan> = {},
  more: { eraseAll?: boolean; startMs?: number } = {},
): Promise<Run> {
  const events: LoaderEvent[] = [];
  const result = await flashBoard(
    port,
    { ...PLAN, ...plan },
    {
      baudRate: 460_800,
      eraseAll: more.eraseAll ?? false,
      md5,
      keyIdOf,
      report: (event) => events.push(event),
      progress: () => {},
      startMs: more.startMs ?? 5000,
      answerMs: 200,
    },
  ).catch((error: FlashFailure) => error);
  return { port, events, result };
}

function expectDone({ port, result }: Run): void {
  expect(result).toMatchObject({ device: { keyId: KEY_ID, publicKey: PUBLIC_KEY } });
  for (const { offset, data } of IMAGE.parts)
    expect(md5(port.board.flash.subarray(offset, offset + data.length))).toBe(md5(data));
  expect(port.board.files.get(".bootcde")).toBe(text(BUNDLE));
  expect(port.board.files.get("coseflow.json")).toBe(text(SETTINGS));
}

/** Never done, always with a step to take, and never with what the settings hold. */
function expectFailure({ result }: Run, step: string, reason: RegExp, next: RegExp): void {
  expect(result).toBeInstanceOf(Error);
  const failure = result as FlashFailure;
  expect(failure.step).toBe(step);
  expect(failure.reason).toMatch(reason);
  expect(failure.next).toMatch(next);
  expect(failure.message).not.toContain("hush-hush");
}

/** The fault at one of the commands, once. */
const once =
  (wanted: number, count: number, fault: Fault) =>
  (command: number, before: number): Fault =>
    command === wanted && before === count ? fault : undefined;
const always =
  (wanted: number, fault: Fault) =>
  (command: number): Fault =>
    command === wanted ? fault : undefined;

afterEach(() => vi.restoreAllMocks());

describe("flashing a board", () => {
  it("erases a chip of another layout, writes, restarts and says who it is", async () => {
    const log = vi.spyOn(console, "log");
    const run = await flash(createMemoryPort());
    expectDone(run);
    expect(run.result).toMatchObject({ image: "written", bundle: "written", settings: "written" });
    const kinds = run.events.map(({ kind }) => kind);
    expect(kinds.slice(0, 2)).toEqual(["chip", "erase"]);
    expect(kinds.filter((kind) => kind === "written").length).toBe(3);
    // The library talks to the console by itself; ours is the command line's.
    expect(log).not.toHaveBeenCalled();
  });

  it("again, changes nothing, and keeps the device's key", async () => {
    const port = createMemoryPort();
    await flash(port);
    port.board.flash[0x3f0010] = 0x42;
    const run = await flash(port);
    expectDone(run);
    expect(run.result).toMatchObject({ image: "unchanged", bundle: "unchanged" });
    expect(port.board.flash[0x3f0010]).toBe(0x42);
    expect(run.events.some(({ kind }) => kind === "erase")).toBe(false);
  });

  it("with eraseAll takes the key too", async () => {
    const port = createMemoryPort();
    await flash(port);
    port.board.flash[0x3f0010] = 0x42;
    expectDone(await flash(port, {}, { eraseAll: true }));
    expect(port.board.flash[0x3f0010]).toBe(0xff);
  });

  it("works on a port without reset lines, from a loader started by hand", async () => {
    expectDone(await flash(createMemoryPort({ hasLines: false, inLoader: true })));
  });

  it("works on a browser's port, which changes its rate by closing", async () => {
    const run = await flash(createMemoryPort({ hasRate: false }));
    expectDone(run);
    expect(run.events.some(({ kind }) => kind === "slower")).toBe(false);
    expect(run.port.opened).toBe(3);
  });

  it("asks a board who it is where its lines were missed, for its port was gone", async () => {
    expectDone(await flash(createMemoryPort({ goneMs: 400 }), {}, { startMs: 15_000 }));
  });

  it("without an image writes bundle and settings alone; without settings keeps those there", async () => {
    const port = createMemoryPort();
    expect((await flash(port, { image: undefined })).result).toMatchObject({ image: "left alone" });
    const run = await flash(port, { image: undefined, settings: undefined });
    expect(run.result).toMatchObject({ settings: "left alone", bundle: "unchanged" });
    port.board.files.delete("coseflow.json");
    const none = await flash(port, { image: undefined, settings: undefined });
    expectFailure(none, "settings", /none on the board/, /--settings/);
  });

  it("says of a locked bundle only that it is written", async () => {
    const run = await flash(createMemoryPort({ started: () => [] }), { isLocked: true });
    expect(run.result).toMatchObject({ bundle: "written", device: undefined });
  });
});

// Most of their time is waiting.
describe.concurrent("faults at the loader", () => {
  it.each([
    ["sync", COMMAND.sync, 0],
    ["deflateData", COMMAND.deflateData, 0],
    ["changeBaud", COMMAND.changeBaud, 0],
    ["md5", COMMAND.md5, 1],
    ["deflateBegin", COMMAND.deflateBegin, 1],
  ])("a lost %s, or a lost answer to it, is made good", async (_name, command, count) => {
    for (const fault of ["lost", "unanswered"] as const)
      expectDone(await flash(createMemoryPort({ fault: once(command, count, fault) })));
  });

  it("a rate that the cable does not carry is made good at the lower one", async () => {
    expectDone(await flash(createMemoryPort({ deafAt: 460_800 })));
  }, 60_000);

  it("bytes that arrive damaged are written again, at the lower rate", async () => {
    const run = await flash(createMemoryPort({ fault: once(COMMAND.deflateEnd, 0, "damage") }));
    expectDone(run);
    expect(run.events.some(({ kind }) => kind === "slower")).toBe(true);
  });

  it("bytes that always arrive damaged are never taken for written", async () => {
    const run = await flash(createMemoryPort({ fault: always(COMMAND.deflateEnd, "damage") }));
    expectFailure(run, "write", /MD5/, /--baud 115200/);
  });

  it("a refused erase ends it", async () => {
    const run = await flash(createMemoryPort({ fault: always(COMMAND.eraseFlash, "refused") }));
    expectFailure(run, "erase", /erase flash/, /again/);
  });

  it("a cable pulled in the middle ends it at once, and the next run goes on", async () => {
    let faults = true;
    const port = createMemoryPort({
      fault: (command, before) =>
        faults && command === COMMAND.deflateEnd && before === 2 ? "unplug" : undefined,
    });
    const run = await flash(port);
    expectFailure(run, "write", /unplugged/, /plug the board in again/);
    faults = false;
    port.plugIn();
    const second = await flash(port);
    expectDone(second);
    expect(second.events).toContainEqual(
      expect.objectContaining({ kind: "unchanged", part: IMAGE.parts[0] }),
    );
  });

  it("no loader at all is said, with how to start it by hand", async () => {
    const run = await flash(createMemoryPort({ fault: always(COMMAND.sync, "lost") }));
    expectFailure(run, "loader", /no answer/, /hold BOOT/);
  });

  it("another chip is refused before anything is erased", async () => {
    const port = createMemoryPort({ chipId: 9 });
    const run = await flash(port);
    expectFailure(run, "chip", /esp32-s3.*esp32-c3/, /--port/);
    expect(port.board.flash.every((byte) => byte === 0)).toBe(true);
  });
});

describe.concurrent("faults at the console", () => {
  const bare = { image: undefined };

  it("noise and lost answers are made good", async () => {
    let count = 0;
    const noise = (told: string) => {
      count += 1;
      if (!told.includes("<#")) return told;
      if (count % 7 === 0) return told.replace("<#", "\xff\x00?");
      return count % 11 === 0 ? "" : `\x07${told}`;
    };
    const port = createMemoryPort({ noise });
    const run = await flash(port, bare);
    expect(run.result).toMatchObject({ bundle: "written", device: { keyId: KEY_ID } });
    expect(port.board.files.get(".bootcde")).toBe(text(BUNDLE));
  });

  it("a console that says nothing is no success", async () => {
    const run = await flash(createMemoryPort({ noise: () => "" }), bare);
    expectFailure(run, "console", /does not answer: it is locked/, /--image with --erase/);
  });

  it("an Espruino without devcrypto is refused, its files left alone", async () => {
    const port = createMemoryPort({ hasDevcrypto: false });
    port.board.files.set(".bootcde", "mine");
    expectFailure(await flash(port, bare), "console", /no devcrypto/, /docs\/building\.md/);
    expect(port.board.files.get(".bootcde")).toBe("mine");
  });

  it("the Espruino of another chip is refused", async () => {
    const port = createMemoryPort({ board: "COSEFLOW_ESP32S3" });
    expectFailure(await flash(port, bare), "chip", /ESP32S3/, /board file/);
  });

  it("a device that does not start, or says nothing, is not reported as done", async () => {
    const refused = createMemoryPort({ started: () => ["coseflow cannot start: queue, got none"] });
    expectFailure(
      await flash(refused, bare),
      "start",
      /does not start: queue, got none/,
      /correct/,
    );
    const silent = createMemoryPort({ started: () => [], isKeyless: true });
    const run = await flash(silent, bare, { startMs: 300 });
    expectFailure(run, "start", /has not said who it is/, /monitor/);
  });

  it("a key that noise has changed on its way is not shown", async () => {
    const noise = (told: string) => told.replace("--key 04ab", "--key 04ac");
    const run = await flash(createMemoryPort({ noise }), bare, { startMs: 15_000 });
    expect(run.result).toMatchObject({ device: { keyId: KEY_ID, publicKey: PUBLIC_KEY } });
  });

  it("a full flash is said, and no half bundle is left that would start", async () => {
    const port = createMemoryPort();
    const set = port.board.files.set.bind(port.board.files);
    port.board.files.set = (name, content) => {
      if (name === ".bootcde" && /^\S\xff/.test(content) && content.includes("bundle"))
        throw new Error("Unable to find or create file");
      return set(name, content);
    };
    expectFailure(await flash(port, bare), "bundle", /Unable to find/, /--erase/);
    expect(port.board.files.get(".bootcde")).toMatch(/^c\xff\xff\xff/);
  });
});
