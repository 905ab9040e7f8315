import { ESPLoader } from "esptool-js";
import { FlashFailure, type Step } from "./failure.ts";
import { type Image, layoutOf, type Part } from "./image.ts";
import { BAUD_RATE, type Port, pause } from "./port.ts";
import { LoaderTransport, withResetLines } from "./transport.ts";

export interface LoaderOptions {
  /** For writing, once the loader runs. */
  baudRate: number;
  /** Erase the whole chip: its device key, settings and queue too. */
  eraseAll: boolean;
  /** In hexadecimal digits. Browsers have no MD5 of their own. */
  md5(bytes: Uint8Array): string;
  report(event: LoaderEvent): void;
}

export type LoaderEvent =
  | { kind: "chip"; chip: string }
  | { kind: "slower"; reason: string }
  | { kind: "erase" }
  | { kind: "unchanged"; part: Part }
  | { kind: "write"; part: Part; fraction: number }
  | { kind: "written"; part: Part };

export type ImageOutcome = "written" | "unchanged";

/** How long the reset line is held. */
const RESET_MS = 100;
/** Each is five calls over a tenth of a second, after a reset. */
const CONNECT_ATTEMPTS = 7;

/** Without one the library writes to the console. */
const SILENT = { clean() {}, write() {}, writeLine() {} };

/** What people call a chip, as board files name it: "ESP32-C3" is "esp32-c3". */
const nameOf = (chip: string) => chip.toLowerCase().replace(/ .*$/, "");

const padded = (data: Uint8Array) => {
  const whole = new Uint8Array(Math.ceil(data.length / 4) * 4).fill(0xff);
  whole.set(data);
  return whole;
};

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const UNPLUGGED = "plug the board in again, and do the same again: nothing on it is used yet";

/** The same failure for a person: a step, and what to do. */
function explain(error: unknown, step: Step, transport: LoaderTransport): FlashFailure {
  // First of all: of a port that is gone the loader does not answer either.
  if (transport.isLost)
    return new FlashFailure(
      step,
      "the port is gone: the board was unplugged, or the cable lost it",
      UNPLUGGED,
    );
  if (error instanceof FlashFailure) return error;
  const message = messageOf(error);
  if (/MD5/.test(message))
    return new FlashFailure(
      step,
      "what is in flash now is not what was sent (MD5)",
      "run it again with --baud 115200 and another cable; if it stays so, the flash is worn out",
    );
  return new FlashFailure(
    step,
    `the chip's loader failed (${message})`,
    "run it again; if it stays so, with --baud 115200 or another cable",
  );
}

/** Writes an image by the loader in the chip's ROM, part by part, each checked by its MD5. */
export async function writeImage(
  port: Port,
  image: Image,
  options: LoaderOptions,
): Promise<ImageOutcome> {
  const first = await attempt(port, image, options, options.baudRate);
  if (typeof first === "string") return first;
  if (!first.canRetry || options.baudRate === BAUD_RATE) throw first.failure;
  options.report({ kind: "slower", reason: first.failure.reason });
  const second = await attempt(port, image, options, BAUD_RATE);
  if (typeof second === "string") return second;
  throw second.failure;
}

interface Failed {
  failure: FlashFailure;
  /** Whether a lower rate may help. */
  canRetry: boolean;
}

async function attempt(
  port: Port,
  image: Image,
  options: LoaderOptions,
  baudRate: number,
): Promise<ImageOutcome | Failed> {
  const lines = withResetLines(port);
  const transport = new LoaderTransport(lines.port);
  const loader = new ESPLoader({
    transport,
    baudrate: baudRate,
    romBaudrate: BAUD_RATE,
    terminal: SILENT,
  });
  let step: Step = "loader";
  try {
    await connect(loader, image, options);
    step = "write";
    await prepare(loader, baudRate);
    const outcome = await writeParts(loader, image, options, (next) => {
      step = next;
    });
    step = "restart";
    await leave(loader, lines.arePresent());
    return outcome;
  } catch (error) {
    const failure = explain(error, step, transport);
    return { failure, canRetry: step === "write" && !transport.isLost };
  } finally {
    await transport.disconnect().catch(() => {});
  }
}

async function connect(loader: ESPLoader, image: Image, options: LoaderOptions): Promise<void> {
  try {
    await loader.detectChip("default_reset", CONNECT_ATTEMPTS);
  } catch (error) {
    if (!/^Failed to connect/.test(messageOf(error))) throw error;
    throw new FlashFailure(
      "loader",
      "no answer from the loader in the chip",
      "hold BOOT, press RESET, let go of both, and run it again; a cable for charging has no data lines",
    );
  }
  const chip = nameOf(loader.chip.CHIP_NAME);
  options.report({ kind: "chip", chip });
  if (chip !== image.chip)
    throw new FlashFailure(
      "chip",
      `the board has the chip ${chip}, image and board file are for ${image.chip}`,
      "take the image and the board file of that chip, or another --port",
    );
  if (loader.secureDownloadMode)
    throw new FlashFailure(
      "chip",
      "the chip was locked for good (secure download mode), its flash cannot be checked",
      "take another board",
    );
}

/** The faster part of the loader, which checks what it wrote, and the faster rate. */
async function prepare(loader: ESPLoader, baudRate: number): Promise<void> {
  await loader.runStub();
  if (!loader.IS_STUB) throw new Error("the stub does not start");
  if (baudRate !== BAUD_RATE) await loader.changeBaud();
}

async function writeParts(
  loader: ESPLoader,
  image: Image,
  options: LoaderOptions,
  enter: (step: Step) => void,
): Promise<ImageOutcome> {
  const isThere = async ({ offset, data }: Part) => {
    const whole = padded(data);
    return (await loader.flashMd5sum(offset, whole.length)) === options.md5(whole);
  };
  // Another layout has other things where ours has keys and records.
  if (options.eraseAll || !(await isThere(layoutOf(image)))) {
    enter("erase");
    options.report({ kind: "erase" });
    await loader.eraseFlash();
    enter("write");
  }
  let outcome: ImageOutcome = "unchanged";
  for (const part of image.parts) {
    if (await isThere(part)) {
      options.report({ kind: "unchanged", part });
      continue;
    }
    outcome = "written";
    await loader.writeFlash({
      fileArray: [{ data: padded(part.data), address: part.offset }],
      flashMode: "keep",
      flashFreq: "keep",
      flashSize: "keep",
      eraseAll: false,
      compress: true,
      calculateMD5Hash: options.md5,
      reportProgress: (_index, written, total) =>
        options.report({ kind: "write", part, fraction: written / total }),
    });
    options.report({ kind: "written", part });
  }
  return outcome;
}

/** Starts what is in flash: by the reset line, or by the loader where there is none. */
async function leave(loader: ESPLoader, byLine: boolean): Promise<void> {
  if (!byLine) {
    await loader.flashBegin(0, 0);
    await loader.flashFinish(true);
    return;
  }
  await loader.transport.device.setSignals({ dataTerminalReady: false, requestToSend: true });
  await pause(RESET_MS);
  await loader.transport.device.setSignals({ dataTerminalReady: false, requestToSend: false });
}
