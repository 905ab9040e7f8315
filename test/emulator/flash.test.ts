/** `coseflow flash` over a terminal into Espruino itself: its console, its flash, its restart. */

import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { openConsole } from "../../scripts/flash/console.ts";
import type { FlashFailure } from "../../scripts/flash/failure.ts";
import { flashBoard, type Plan } from "../../scripts/flash/flash-board.ts";
import { hasDevcrypto } from "../../scripts/flash/image.ts";
import { createNodePort } from "../../scripts/serial/node-port.ts";
import { createLineRunner } from "../../scripts/serial/repl.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { keyIdOf } from "../support/esp-rom/fake-board.ts";
import { addNoise } from "../support/esp-rom/noisy-port.ts";
import { openPty } from "../support/pty/pty.ts";
import { makeTrust } from "../support/trust.ts";
import { boot, describeEspruino, writeFlash } from "./espruino.ts";
import { flashOptions } from "./flash-options.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 16 },
};

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const SETTINGS = {
  ...(await makeTrust()),
  brokers: [{ host: "127.0.0.1", port: 1, username: "desk", password: "hush" }],
};

async function unpack() {
  const [directory, remove] = await temporaryDirectory("flash");
  cleanUp.push(remove);
  const { bundle } = await bundleBoard(directory, BOARD);
  const plan: Plan = {
    board: BOARD.name,
    chip: "linux",
    image: undefined,
    bundle: readFileSync(bundle),
    settings: bytesOf(SETTINGS),
    isLocked: false,
  };
  return { directory, plan };
}

async function plugIn(directory: string) {
  const pty = await openPty({
    command: [process.env.ESPRUINO as string],
    cwd: directory,
    env: { ...process.env, ESPRUINO_STACK: "20000" },
  });
  cleanUp.push(pty.unplug);
  return { port: createNodePort(pty.path), pty };
}

describeEspruino("flash over a terminal", () => {
  it("finds in a real build the marks by which it knows an image", () => {
    expect(hasDevcrypto(readFileSync(process.env.ESPRUINO as string))).toBe(true);
  });

  it("writes bundle and settings, restarts, and says who the device is; again it changes nothing", async () => {
    const { directory, plan } = await unpack();
    const { port, pty } = await plugIn(directory);
    const first = await flashBoard(port, plan, flashOptions());
    expect(first).toMatchObject({ image: "left alone", bundle: "written", settings: "written" });
    expect(first.device?.publicKey).toMatch(/^04[0-9a-f]{128}$/);

    const again = await flashBoard(port, plan, flashOptions());
    expect(again).toEqual({ ...first, bundle: "unchanged", settings: "unchanged" });

    const lines: string[] = [];
    const console = await openConsole(port);
    const typed = createLineRunner(console, (line) => lines.push(line));
    expect(await typed("status().kid")).toBe(true);
    expect(lines.join("\n")).toContain(first.device?.keyId);
    expect(await typed("function open(")).toBe(false);
    expect(await typed("1+1")).toBe(true);
    await console.close();

    // The power switch: what was written is what a cold start finds.
    await pty.unplug();
    const device = boot(directory);
    cleanUp.push(device.powerOff);
    const [, publicKey] = await device.line(/--key ([0-9a-f]{130})/);
    expect(publicKey).toBe(first.device?.publicKey);
  });

  it("makes good what a bad cable does to lines, answers and pieces", async () => {
    const { directory, plan } = await unpack();
    const { port } = await plugIn(directory);
    const publicKey = `04${"cd".repeat(64)}`;
    const told = [
      `coseflow on emulated, device ${keyIdOf(publicKey)}`,
      `register it: coseflow device register --key ${publicKey}`,
    ];
    // Told until it is understood: a device says it once, and is asked by a person then.
    const bundle = Buffer.from(
      `${"/* as long as some pieces */".repeat(200)}\nsetInterval(function(){print(${JSON.stringify(told.join("\n"))})},200)`,
    );
    const flashed = await flashBoard(
      addNoise(port, { sent: 4999, received: 397 }),
      { ...plan, bundle, settings: bytesOf({ note: "x".repeat(2000) }) },
      flashOptions(),
    );
    expect(flashed).toMatchObject({ bundle: "written", settings: "written" });
    expect(flashed.device).toEqual({ keyId: keyIdOf(publicKey), publicKey });
  });

  it("says that the board does not start, and why, without the settings' secrets", async () => {
    const { directory, plan } = await unpack();
    const { port } = await plugIn(directory);
    const settings = bytesOf({ ...SETTINGS, brokers: [{ host: 5, password: "hush" }] });
    const failure: FlashFailure = await flashBoard(
      port,
      { ...plan, settings },
      flashOptions(),
    ).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(failure.step).toBe("start");
    expect(failure.message).toContain("coseflow.json");
    expect(failure.message).not.toContain("hush");
  });

  it("is not done when the cable is pulled in the middle, and then goes on where it was", async () => {
    const { directory, plan } = await unpack();
    await writeFlash(directory, { "coseflow.json": JSON.stringify(SETTINGS) });
    const { port, pty } = await plugIn(directory);
    let pulled: Promise<void> | undefined;
    const failed = flashBoard(
      port,
      { ...plan, settings: undefined },
      flashOptions({
        progress(step, fraction) {
          if (step === "bundle" && fraction > 0.3) pulled ??= pty.unplug();
        },
      }),
    );
    await expect(failed).rejects.toMatchObject({ name: "Error", step: "bundle" });
    await pulled;

    const replugged = await plugIn(directory);
    const flashed = await flashBoard(
      replugged.port,
      { ...plan, settings: undefined },
      flashOptions(),
    );
    expect(flashed).toMatchObject({ bundle: "written", settings: "left alone" });
    expect(flashed.device?.publicKey).toMatch(/^04/);
  });
});
