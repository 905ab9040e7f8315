import { createHash } from "node:crypto";
import type { Command } from "@commander-js/extra-typings";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { bundlePage } from "../bundle/page.ts";
import { type Machine, thisMachine } from "../doctor/machine.ts";
import { FlashFailure, type Step } from "../flash/failure.ts";
import { flashBoard } from "../flash/flash-board.ts";
import { choosePort, machinePort } from "../serial/open-port.ts";
import { KEYS_DIRECTORY } from "./defaults.ts";
import { explain, JudgedAsFailed } from "./exit.ts";
import { EXIT } from "./exit-code.ts";
import { bringBundleUpToDate } from "./flash-bundle.ts";
import { serveFlashPage } from "./flash-page.ts";
import { makePlan, type PlanOptions, readBoardFiles } from "./flash-plan.ts";
import { createJsonView, createTextView, type FlashView, toFailure } from "./flash-view.ts";
import type { Output } from "./output.ts";
import { parseBaud, parseBoard } from "./parse.ts";
import { endOnSignal, watchForStop } from "./stop.ts";

interface Options extends PlanOptions {
  port: string | undefined;
  baud: number;
  erase: boolean;
  dryRun: boolean;
}

/** A rate that the cables of boards carry; a board that does not is written at the ROM's. */
const WRITE_RATE = 460_800;

const keyIdOf = (publicKey: string) =>
  toHex(kidOf(thumbprintOf(createNodeCrypto(), fromHex(publicKey) as Bytes)));

async function flash(
  options: Options,
  view: FlashView,
  machine: Machine,
  note: (text: string) => void,
): Promise<void> {
  let step: Step = "files";
  const unwatch = endOnSignal((signal) => {
    const reason = `stopped by ${signal}`;
    view.failed(new FlashFailure(step, reason, "run it again: what is on the board is found"));
    return EXIT.failure;
  });
  try {
    await bringBundleUpToDate(options.board, note);
    const plan = makePlan(options);
    view.planned(plan);
    if (options.dryRun) return;
    step = "port";
    const port = machinePort(choosePort(options.port, machine), machine);
    const flashed = await flashBoard(port, plan, {
      baudRate: options.baud,
      eraseAll: options.erase,
      md5: (bytes) => createHash("md5").update(bytes).digest("hex"),
      keyIdOf,
      report(event) {
        step = event.kind === "erase" ? "erase" : "write";
        view.event(event);
      },
      progress(next, fraction) {
        step = next;
        view.progress(next, fraction);
      },
    });
    view.done(plan, flashed);
  } finally {
    unwatch();
  }
}

/** Serves the page that does the same from a browser, until it is stopped. */
async function servePage(
  options: Options,
  view: FlashView,
  note: (text: string) => void,
): Promise<void> {
  await bringBundleUpToDate(options.board, note);
  const files = readBoardFiles(options);
  const script = await bundlePage();
  // Only from here on a signal is what it waits for.
  const { stopped, unwatch } = watchForStop();
  try {
    const page = await serveFlashPage({ files, baudRate: options.baud, script, keyIdOf });
    view.served(page.url);
    try {
      await stopped;
    } finally {
      await page.close();
    }
  } finally {
    unwatch();
  }
}

export function addFlashCommand(program: Command, output: Output): void {
  program
    .command("flash")
    .description("put Espruino, the bundle and the settings on a board, and show its key")
    .argument("[board]", "file in boards/", parseBoard, "esp32-c3-devkitm-1")
    .option("--port <path>", "serial port (default: the only one there is)")
    .option(
      "--image <file>",
      "Espruino with devcrypto: the .tgz or folder of its build, or one file",
    )
    .option("--settings <file>", "settings of the device (default: boards/<board>.secrets.json)")
    .option("--keys <directory>", "the cloud's keys, for the certificates to trust", KEYS_DIRECTORY)
    .option("--erase", "erase the whole chip first: its key, settings and queue too; with --image")
    .option("--baud <rate>", "rate for writing the image", parseBaud, WRITE_RATE)
    .option("--dry-run", "read and judge the files, and end there")
    .option("--web", "serve a page that flashes from the browser, until Ctrl-C")
    .option("--quiet", "no progress")
    .option("--json", 'lines of JSON: what is planned and done, and last "done" or "failed"')
    .addHelpText(
      "after",
      `
The bundle is built first where there is none, or what it is made of has changed since.
Without --image Espruino on the board stays, and without settings those on the board. A chip with
another layout of its flash is erased; one with ours keeps its device key. What is there already is
not written again. Settings may hold passwords: they are never shown.

Exit codes: 0 all of it is on the board, was checked there and has started; 1 not done, and the
last lines say why and what to do next; 2 the command line is wrong. With --dry-run, 0: the files
fit together.

Examples:
  $ coseflow flash --image espruino_2v29_esp32c3.tgz
  $ coseflow flash esp32-c3-devkitm-1 --port /dev/ttyACM0 --settings my.secrets.json
  $ coseflow flash --dry-run --image espruino_2v29_esp32c3.tgz
  $ coseflow flash --web esp32-c3-supermini`,
    )
    .action(async (board, options) => {
      const { port, image, settings, keys, baud } = options;
      const asked = { "--port": port, "--image": image, "--erase": options.erase };
      const both = Object.entries({ ...asked, "--dry-run": options.dryRun }).flatMap(
        ([name, value]) => (value === undefined ? [] : [name]),
      );
      if (options.web && both.length > 0)
        program.error(`error: --web, expected without ${both.join(" and ")}: the page asks`, {
          exitCode: 2,
        });
      if (options.erase && options.image === undefined)
        program.error("error: --erase, expected --image with it, got none", { exitCode: 2 });
      const given = { board, port, image, settings, keys, baud };
      const flags = { erase: options.erase === true, dryRun: options.dryRun === true };
      const view = options.json
        ? createJsonView(output)
        : createTextView(output, process.stderr.isTTY === true, options.quiet === true);
      try {
        if (options.web) await servePage({ ...given, ...flags }, view, output.note);
        else await flash({ ...given, ...flags }, view, thisMachine(), output.note);
      } catch (error) {
        view.failed(toFailure(error, "files", explain));
        throw new JudgedAsFailed();
      }
    });
}
