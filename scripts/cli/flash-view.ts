import { FlashFailure, type Step } from "../flash/failure.ts";
import type { Flashed, Plan } from "../flash/flash-board.ts";
import type { LoaderEvent } from "../flash/loader.ts";
import { inWords, LOCKED, registerCommand } from "../flash/words.ts";
import type { Output } from "./output.ts";

/** What is told while a board is flashed, and in the end. */
export interface FlashView {
  event(event: LoaderEvent): void;
  progress(what: string, fraction: number): void;
  planned(plan: Plan): void;
  done(plan: Plan, flashed: Flashed): void;
  failed(failure: FlashFailure): void;
  /** The page that flashes is there. */
  served(url: string): void;
}

/** A bar of so many characters, on a terminal. */
const BAR = 30;
/** Elsewhere a line at each of these parts of the whole. */
const TELL_EVERY = 0.25;

const hex = (offset: number) => `0x${offset.toString(16)}`;

function filesOf({ bundle, settings }: Plan) {
  return [
    { name: ".bootcde", bytes: bundle.length },
    ...(settings === undefined ? [] : [{ name: "coseflow.json", bytes: settings.length }]),
  ];
}

const partsOf = ({ image }: Plan) =>
  (image?.parts ?? []).map(({ name, offset, data }) => ({ name, offset, bytes: data.length }));

/** For programs: lines of JSON on standard output. */
export function createJsonView(output: Output): FlashView {
  const tell = (line: object) => output.out(`${JSON.stringify(line)}\n`);
  const fractions = createSteps();
  return {
    event(event) {
      if (event.kind === "write") return this.progress(event.part.name, event.fraction);
      const { kind, ...rest } = event;
      tell({ kind, ...("part" in rest ? { part: rest.part.name } : rest) });
    },
    progress(what, fraction) {
      if (fractions(what, fraction)) tell({ kind: "progress", what, fraction });
    },
    planned: (plan) =>
      tell({
        kind: "plan",
        board: plan.board,
        chip: plan.chip,
        parts: partsOf(plan),
        files: filesOf(plan),
      }),
    done: ({ board }, { device, ...outcome }) =>
      tell({
        kind: "done",
        board,
        ...outcome,
        ...(device === undefined
          ? { console: "locked" }
          : { ...device, register: registerCommand(device.publicKey) }),
      }),
    failed: ({ step, reason, next }) => tell({ kind: "failed", step, reason, next }),
    served: (url) => tell({ kind: "page", url }),
  };
}

/** Whether a part of the whole is worth a line. */
function createSteps(): (what: string, fraction: number) => boolean {
  const told = new Map<string, number>();
  return (what, fraction) => {
    const step = Math.floor(fraction / TELL_EVERY);
    if (told.get(what) === step) return false;
    told.set(what, step);
    return true;
  };
}

/** For people: the way there on standard error, what came of it on standard output. */
export function createTextView(output: Output, isTerminal: boolean, isQuiet: boolean): FlashView {
  const say = (line: string) => {
    if (!isQuiet) output.error(`${line}\n`);
  };
  const fractions = createSteps();
  /** The last line is a bar that has not come to its end. */
  let isOpen = false;

  function progress(what: string, fraction: number): void {
    const percent = `${Math.round(fraction * 100)}`.padStart(3);
    if (!isTerminal) {
      if (fractions(what, fraction)) say(`${what}: ${percent} %`);
      return;
    }
    const full = Math.round(fraction * BAR);
    const bar = "#".repeat(full).padEnd(BAR, ".");
    if (isQuiet) return;
    isOpen = fraction < 1;
    output.error(`\r[${bar}] ${percent} % ${what}${isOpen ? "" : "\n"}`);
  }

  return {
    progress,
    event(event) {
      if (event.kind === "write") return progress(event.part.name, event.fraction);
      say(inWords(event) as string);
    },
    planned(plan) {
      for (const { name, offset, bytes } of partsOf(plan))
        output.out(`${hex(offset).padEnd(10)} ${String(bytes).padStart(8)} bytes  ${name}\n`);
      for (const { name, bytes } of filesOf(plan))
        output.out(`${"file".padEnd(10)} ${String(bytes).padStart(8)} bytes  ${name}\n`);
    },
    done({ board }, { device, ...outcome }) {
      const told = Object.entries(outcome).map(([what, how]) => `${what} ${how}`);
      say(`${board}: ${told.join(", ")}`);
      if (device === undefined) return say(LOCKED);
      output.out(`coseflow on ${board}, device ${device.keyId}\n`);
      output.out(`register it: ${registerCommand(device.publicKey)}\n`);
    },
    failed({ step, reason, next }) {
      const end = isOpen ? "\n" : "";
      output.error(`${end}coseflow: not done, ${step}: ${reason}\n  next: ${next}\n`);
    },
    served(url) {
      output.out(`${url}\n`);
      say("open it in Chromium, Chrome or Edge on this machine; Ctrl-C ends it");
    },
  };
}

/** An error on the way, also one that nobody foresaw. */
export function toFailure(
  error: unknown,
  step: Step,
  explain: (error: unknown) => string,
): FlashFailure {
  return error instanceof FlashFailure
    ? error
    : new FlashFailure(
        step,
        explain(error),
        "set that right and run it again, or see coseflow doctor",
      );
}
