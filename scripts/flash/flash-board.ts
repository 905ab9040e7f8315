import { awaitIdentity, type Identity } from "./await-identity.ts";
import { type Console, ConsoleSilent } from "./console.ts";
import { type DeviceFiles, openDeviceFiles } from "./device-files.ts";
import { explain } from "./explain.ts";
import { FlashFailure, type Step } from "./failure.ts";
import type { Image } from "./image.ts";
import { openLink } from "./link.ts";
import { type ImageOutcome, type LoaderOptions, writeImage } from "./loader.ts";
import { type Port, pause } from "./port.ts";

/** What is to be on the board in the end. */
export interface Plan {
  board: string;
  /** Of the board file. */
  chip: string;
  image: Image | undefined;
  bundle: Uint8Array;
  /** Without it those on the device stay. */
  settings: Uint8Array | undefined;
  /** A console that the bundle locks tells nothing of how it started. */
  isLocked: boolean;
}

export type Outcome = "written" | "unchanged";

export interface Flashed {
  image: ImageOutcome | "left alone";
  bundle: Outcome;
  settings: Outcome | "left alone";
  /** Undefined where the console is locked. */
  device: Identity | undefined;
}

export interface FlashOptions extends LoaderOptions {
  progress(step: Step, fraction: number): void;
  /** The key id of a public key, both in hexadecimal digits. */
  keyIdOf(publicKey: string): string | Promise<string>;
  /** For tests: how long a start and an answer may take. */
  startMs?: number;
  answerMs?: number;
}

const BUNDLE_FILE = ".bootcde";
const SETTINGS_FILE = "coseflow.json";
/** What Espruino needs from a reset to its prompt. */
const CONSOLE_MS = 10_000;
const RESET_LOOK_MS = 50;

/** Everything, in order; whatever goes wrong ends it with a FlashFailure. */
export async function flashBoard(port: Port, plan: Plan, options: FlashOptions): Promise<Flashed> {
  const image =
    plan.image === undefined ? "left alone" : await writeImage(port, plan.image, options);
  const link = openLink(port, options.answerMs, plan.image !== undefined);
  try {
    const files = await inStep("console", async () => {
      const console = await link.console();
      await prepareConsole(console, plan);
      return writeFiles(console, plan, options);
    });
    const device = plan.isLocked
      ? undefined
      : await inStep("start", () => awaitIdentity(link, options.keyIdOf, options.startMs));
    return { image, ...files, device };
  } finally {
    await link.close();
  }
}

/** A silent board may still be starting: it is asked for as long as that takes. */
async function awaitPrompt(console: Console): Promise<string> {
  const until = Date.now() + CONSOLE_MS;
  for (;;) {
    try {
      return String(await console.ask('process.env.BOARD+" "+process.version'));
    } catch (error) {
      if (!(error instanceof ConsoleSilent) || Date.now() >= until) throw error;
    }
  }
}

async function prepareConsole(console: Console, plan: Plan): Promise<void> {
  const name = await awaitPrompt(console);
  const kind = plan.chip.replace("-", "").toUpperCase();
  if (!name.toUpperCase().includes(kind))
    throw new FlashFailure(
      "chip",
      `this is Espruino "${name.replace(/[^ -~]/g, "?").slice(0, 60)}", the board file names ${plan.chip}`,
      "take the board file of this chip, or another --port",
    );
  // Stops the bundle that runs, and gives its memory back. Its boot code is not run by it.
  await console.ask("(global.cfBefore=1)");
  await console.send("\x10reset()\n");
  while ((await console.ask("typeof cfBefore")) !== "undefined") await pause(RESET_LOOK_MS);
  const has = await console.ask(
    '(function(){try{return typeof require("devcrypto").keyAgreementWrap=="function"}catch(e){return false}})()',
  );
  if (has !== true)
    throw new FlashFailure(
      "console",
      "this Espruino has no devcrypto: it has no safe random numbers and no place for keys",
      "build it as docs/building.md says, and flash it with --image",
    );
}

async function writeFiles(console: Console, plan: Plan, options: FlashOptions) {
  const files = await openDeviceFiles(console);
  const bundle = await inStep("bundle", async (): Promise<Outcome> => {
    if (await files.has(BUNDLE_FILE, plan.bundle)) return "unchanged";
    // First of all: what is half written must not start beside the other half.
    await files.erase(BUNDLE_FILE);
    return "written";
  });
  const settings = await inStep("settings", () => writeSettings(files, plan, options));
  if (bundle === "written")
    await inStep("bundle", () =>
      files.write(BUNDLE_FILE, plan.bundle, (fraction) => options.progress("bundle", fraction)),
    );
  console.forget();
  await console.send(
    '\x10setTimeout(function(){typeof ESP32=="undefined"?load():ESP32.reboot()},100)\n',
  );
  return { bundle, settings };
}

async function writeSettings(
  files: DeviceFiles,
  plan: Plan,
  options: FlashOptions,
): Promise<Outcome | "left alone"> {
  if (plan.settings === undefined) {
    if (await files.exists(SETTINGS_FILE)) return "left alone";
    throw new FlashFailure(
      "settings",
      "there are none on the board, and none were given",
      "name a file by --settings",
    );
  }
  if (await files.has(SETTINGS_FILE, plan.settings)) return "unchanged";
  await files.write(SETTINGS_FILE, plan.settings, (fraction) =>
    options.progress("settings", fraction),
  );
  return "written";
}

async function inStep<T>(step: Step, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw explain(error, step);
  }
}
