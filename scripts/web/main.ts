import { FlashFailure } from "../flash/failure.ts";
import { type Flashed, flashBoard } from "../flash/flash-board.ts";
import { readImage } from "../flash/image.ts";
import { choosePort, type Serial } from "./browser-port.ts";
import { settingsOf } from "./entries.ts";
import { readImageFile } from "./image-file.ts";
import type { Job } from "./job.ts";
import { md5 } from "./md5.ts";
import { type Choice, createView, type View } from "./view.ts";

/** One of the few answers of `coseflow flash --web`, under the address with its token. */
async function ask(path: string): Promise<Response> {
  const answer = await fetch(path).catch(() => undefined);
  if (answer?.ok) return answer;
  throw new FlashFailure(
    "files",
    "coseflow flash --web has ended",
    "start it again, and open the address that it prints",
  );
}

/** All is read and judged before the person is asked for the port, and the board is touched. */
async function makePlan(job: Job, { image, eraseAll, entries }: Choice) {
  if (eraseAll && image === undefined)
    throw new FlashFailure(
      "files",
      "the chip is to be erased, and there is no image to put on it",
      "choose the image, or do not erase",
    );
  const settings = settingsOf(job, entries);
  const files = image && (await readImageFile(image));
  return {
    board: job.board,
    chip: job.chip,
    isLocked: job.isLocked,
    image: files && readImage(files, job),
    bundle: new Uint8Array(await (await ask("bundle")).arrayBuffer()),
    settings,
  };
}

async function flash(job: Job, choice: Choice, view: View): Promise<Flashed> {
  const plan = await makePlan(job, choice);
  const { serial } = navigator as Navigator & { serial?: Serial };
  return flashBoard(await choosePort(serial), plan, {
    baudRate: job.baudRate,
    eraseAll: choice.eraseAll,
    md5,
    keyIdOf: async (publicKey) => (await ask(`key-id/${publicKey}`)).text(),
    report: view.event,
    progress: view.progress,
  });
}

function toFailure(error: unknown): FlashFailure {
  if (error instanceof FlashFailure) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new FlashFailure("files", reason, "reload the page, and try again");
}

async function run(job: Job, choice: Choice, view: View): Promise<void> {
  view.begin();
  try {
    view.done(await flash(job, choice, view));
  } catch (error) {
    view.failed(toFailure(error));
  }
}

const view = createView();
try {
  const job: Job = await (await ask("job")).json();
  view.show(job);
  view.onStart((choice) => void run(job, choice, view));
} catch (error) {
  view.failed(toFailure(error));
}
