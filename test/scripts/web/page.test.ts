import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundlePage } from "../../../scripts/bundle/page.ts";
import { type FlashPage, serveFlashPage } from "../../../scripts/cli/flash-page.ts";
import type { BoardFiles } from "../../../scripts/cli/flash-plan.ts";
import { makeTgz, named } from "../../support/esp-rom/archive.ts";
import { countAsked, plugIntoPage } from "../../support/esp-rom/browser-serial.ts";
import { COMMAND } from "../../support/esp-rom/esp-rom.ts";
import { KEY_ID, keyIdOf, PUBLIC_KEY } from "../../support/esp-rom/fake-board.ts";
import { C3, makeParts, merge, S3 } from "../../support/esp-rom/image.ts";
import { createMemoryPort, type MemoryPort } from "../../support/esp-rom/memory-port.ts";

const CHROMIUM = "/usr/bin/chromium";
const isMissing = !existsSync(CHROMIUM);
const notice = isMissing ? ` (skipped: no ${CHROMIUM}, apt-get install chromium)` : "";
const PICTURES = join(import.meta.dirname, "..", "..", "..", "build", "test");

/** From the button to the end, on a machine that does other things too. */
const END_MS = 110_000;

const SECRET = "hush-hush-hush";
const CLAIM = "00112233445566778899aabbccddeeff";
const SETTINGS = {
  anchor: "3082",
  cloudCertificate: "3082",
  brokers: [{ host: "broker.example", port: 1883, username: "desk", password: SECRET }],
};
const FILES: BoardFiles = {
  board: "esp32-c3-supermini",
  chip: "esp32-c3",
  flashMegabytes: 4,
  needsWifi: true,
  isLocked: false,
  bundle: new TextEncoder().encode(`const a=1;${"/* the bundle */".repeat(200)}`),
  file: { path: "my.secrets.json", settings: SETTINGS },
};

let browser: Browser;
let script: string;
beforeAll(async () => {
  if (isMissing) return;
  browser = await chromium.launch({ executablePath: CHROMIUM });
  script = await bundlePage();
});
afterAll(() => browser?.close());

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Opened {
  page: Page;
  server: FlashPage;
  /** What the browser complained of, and what was asked for elsewhere. */
  faults: string[];
}

async function open(port: MemoryPort | undefined, files: Partial<BoardFiles> = {}) {
  const server = await serveFlashPage({
    files: { ...FILES, ...files },
    baudRate: 460_800,
    script,
    keyIdOf,
  });
  cleanUp.push(() => server.close());
  const context = await browser.newContext({ viewport: { width: 760, height: 1100 } });
  cleanUp.push(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:"))
      faults.push(request.url());
  });
  if (port !== undefined) await plugIntoPage(page, port);
  await page.goto(server.url);
  await page.getByText(`${files.chip ?? FILES.chip}, 4 MB`).waitFor();
  return { page, server, faults } satisfies Opened;
}

async function choose(page: Page, chipId = C3): Promise<void> {
  const buffer = makeTgz(named(makeParts(chipId)));
  await page
    .getByLabel("Image")
    .setInputFiles({ name: "espruino.tgz", mimeType: "application/gzip", buffer });
}

async function typeWifi(page: Page): Promise<void> {
  await page.getByLabel("Network").fill("home");
  await page.getByLabel("Password").fill(SECRET);
}

const start = (page: Page) => page.getByRole("button", { name: "Choose the port" }).click();
const failure = (page: Page) => page.getByRole("alert").innerText({ timeout: END_MS });

async function expectDone(page: Page): Promise<void> {
  const done = page.locator("#done, #failure").filter({ visible: true });
  await done.waitFor({ timeout: END_MS });
  expect(await done.innerText()).toContain("Done");
  expect(await page.locator("#key-id").innerText()).toBe(KEY_ID);
  expect(await page.locator("#register").innerText()).toBe(
    `coseflow device register --key ${PUBLIC_KEY}`,
  );
}

const written = (port: MemoryPort, name: string) =>
  Buffer.from(port.board.files.get(name) ?? "", "latin1");

describe.skipIf(isMissing)(`the flashing page in Chromium${notice}`, () => {
  it("puts image, bundle and what was typed on a board, and shows its key", async () => {
    const port = createMemoryPort({ hasRate: false });
    const { page, faults } = await open(port);
    await choose(page);
    await typeWifi(page);
    await page.getByLabel("Device id").fill("boiler");
    await page.getByLabel("User id").fill("ann");
    await page.getByLabel("Claim").fill(CLAIM);
    await page.screenshot({ path: join(PICTURES, "flash-page-form.png"), fullPage: true });
    await start(page);
    await expectDone(page);
    await page.screenshot({ path: join(PICTURES, "flash-page.png"), fullPage: true });

    const { application } = makeParts();
    const flash = port.board.flash.subarray(0x10000, 0x10000 + application.length);
    expect(Buffer.compare(flash, application)).toBe(0);
    expect(written(port, ".bootcde")).toEqual(Buffer.from(FILES.bundle));
    expect(JSON.parse(written(port, "coseflow.json").toString("utf8"))).toEqual({
      ...SETTINGS,
      wifi: [{ ssid: "home", password: SECRET }],
      deviceId: "boiler",
      userId: "ann",
      claim: CLAIM,
    });
    const shown = await page.locator("main").innerText();
    expect(shown).toContain("application: checked");
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain(CLAIM);
    // The next board is another device.
    expect(await page.getByLabel("Claim").inputValue()).toBe("");
    expect(faults).toEqual([]);
  });

  it("shows how far it is, and goes on where an answer is lost", async () => {
    const port = createMemoryPort({
      hasRate: false,
      fault: (command, before) =>
        command === COMMAND.deflateData && before === 2 ? "unanswered" : undefined,
    });
    const { page } = await open(port);
    await choose(page);
    await typeWifi(page);
    await start(page);
    await page.getByText("Writing: application").waitFor({ timeout: END_MS });
    const button = page.getByRole("button", { name: "Choose the port" });
    expect(await button.isDisabled()).toBe(true);
    expect(await page.getByRole("progressbar").isVisible()).toBe(true);
    await page.screenshot({ path: join(PICTURES, "flash-page-progress.png"), fullPage: true });
    await expectDone(page);
    expect(await button.isDisabled()).toBe(false);
  });

  it("finds a board again that is another port after its restart", async () => {
    const port = createMemoryPort({ hasRate: false, goneMs: 500 });
    const { page, faults } = await open(port);
    await page.getByLabel("Image").setInputFiles({
      name: "merged.bin",
      mimeType: "application/octet-stream",
      buffer: Buffer.from(merge(makeParts()).bytes),
    });
    await typeWifi(page);
    await start(page);
    await expectDone(page);
    expect(faults).toEqual([]);
  });

  it("is not done when the cable is pulled, says what next, and does it at the second try", async () => {
    const port = createMemoryPort({
      hasRate: false,
      fault: (command, before) =>
        command === COMMAND.deflateData && before === 2 ? "unplug" : undefined,
    });
    const { page } = await open(port);
    await choose(page);
    await typeWifi(page);
    await start(page);
    const told = await failure(page);
    expect(told).toContain("Not done: write\n");
    expect(told).toMatch(/the port is gone.*Next: plug the board in again/s);
    expect(await page.locator("#done").isVisible()).toBe(false);
    await page.screenshot({ path: join(PICTURES, "flash-page-failed.png"), fullPage: true });
    port.plugIn();
    await start(page);
    await expectDone(page);
  });

  it("judges what was chosen and typed before it asks for a port", async () => {
    const { page } = await open(createMemoryPort());
    await start(page);
    expect(await failure(page)).toMatch(/no wifi/);
    await typeWifi(page);
    await page.getByLabel("Erase").check();
    await start(page);
    expect(await failure(page)).toMatch(/no image to put on it/);
    await choose(page, S3);
    await start(page);
    expect(await failure(page)).toMatch(/Not done: files.*esp32-s3.*Next: take the image/s);
    await page
      .getByLabel("Image")
      .setInputFiles({ name: "x.tgz", mimeType: "", buffer: Buffer.from([0x1f, 0x8b, 1, 2]) });
    await start(page);
    expect(await failure(page)).toContain("x.tgz does not unpack");
    expect(await countAsked(page)).toBe(0);
  });

  it("says where there is no Web Serial, and when the command has ended", async () => {
    const { page, server } = await open(undefined);
    await page.evaluate(() => Object.defineProperty(navigator, "serial", { value: undefined }));
    await typeWifi(page);
    await start(page);
    expect(await failure(page)).toMatch(/no Web Serial.*Next: open the page in Chromium/s);
    await server.close();
    await start(page);
    expect(await failure(page)).toMatch(/has ended.*Next: start it again/s);
  });

  it("can send nothing elsewhere", async () => {
    const { page } = await open(undefined);
    const refused = page.evaluate(
      () =>
        new Promise((resolve) => {
          addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
          fetch("https://elsewhere.example/").catch(() => {});
        }),
    );
    expect(await refused).toBe("connect-src");
  });

  it("shows no key of a board whose bundle locks the console", async () => {
    const port = createMemoryPort({ hasRate: false });
    port.board.begin();
    const { page } = await open(port, { isLocked: true });
    await typeWifi(page);
    await start(page);
    const outcome = page.locator("#outcome").filter({ visible: true });
    expect(await outcome.innerText({ timeout: END_MS })).toContain("locks the console");
    expect(await page.locator("#device").isVisible()).toBe(false);
  });

  it("leaves the settings on a board where there is no file of them", async () => {
    const port = createMemoryPort({ hasRate: false });
    port.board.files.set("coseflow.json", "{}");
    port.board.begin();
    const { page } = await open(port, { file: undefined });
    await start(page);
    await expectDone(page);
    expect(await page.locator("#outcome").innerText()).toContain("settings left alone");
    expect(written(port, "coseflow.json").toString()).toBe("{}");
  });
});
