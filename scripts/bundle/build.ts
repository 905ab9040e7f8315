import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type RollupError, type RollupOptions, rollup, watch } from "rollup";
import { repositoryRoot } from "../../simulator/repository.ts";
import { createMemoryEstimate, type Estimate } from "../board/memory.ts";

/** What was built of one board. */
export interface Built {
  board: string;
  /** The bundle. */
  file: string;
  bytes: number;
  /** Most bytes that a bundle may have. */
  limit: number;
  /** Hexadecimal: two builds of the same sources on the same day have the same. */
  sha256: string;
  /** Estimated. */
  memory: Estimate;
  /** Bytes of each module when it is minified alone: names are shortened, so they do not add up. */
  modules: Record<string, number>;
}

export interface BuildPlan {
  names: string[];
  outputDirectory: string;
  /** Gives a board as the firmware gets it; throws for a file with faults. */
  readBoard: (file: string) => object;
}

type Options = RollupOptions & { output: { file: string } };

/** The build itself is no TypeScript: rollup reads it as it is, here and for `npm run build`. */
async function load() {
  const module = (name: string) =>
    import(pathToFileURL(join(repositoryRoot(), "scripts", "build", name)).href);
  const { projectOptions } = await module("project.mjs");
  const { LIMIT_BYTES } = await module("size.mjs");
  return { projectOptions, limit: LIMIT_BYTES as number };
}

async function plan({ names, outputDirectory, readBoard }: BuildPlan) {
  const { projectOptions, limit } = await load();
  const root = repositoryRoot();
  mkdirSync(outputDirectory, { recursive: true });
  const all: Options[] = projectOptions({ root, readBoard, names, outputDirectory });
  return all.map((options, index) => ({ options, board: names[index] as string, limit }));
}

function report(board: string, file: string, limit: number): Built {
  const { bytes, modules } = JSON.parse(readFileSync(file.replace(/\.js$/, ".size.json"), "utf8"));
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  const boardFile = join(repositoryRoot(), "boards", `${board}.json`);
  const memory = createMemoryEstimate()(JSON.parse(readFileSync(boardFile, "utf8")));
  return { board, file, bytes, limit, sha256, memory, modules };
}

/** Builds one board after the other; throws with the first that cannot be built. */
export async function buildBoards(
  boards: BuildPlan,
  built: (result: Built) => void,
): Promise<void> {
  for (const { options, board, limit } of await plan(boards)) {
    // A board file that is wrong, or not there, is told before anything is made of it.
    boards.readBoard(join(repositoryRoot(), "boards", `${board}.json`));
    const bundle = await rollup(options);
    try {
      await bundle.write(options.output);
    } finally {
      await bundle.close();
    }
    built(report(board, options.output.file, limit));
  }
}

/**
 * Builds all, and each again when its board file or what it is made of changes. A board that
 * cannot be built now is told to `failed`, and watched on. The result ends it.
 */
export async function watchBoards(
  boards: BuildPlan,
  built: (result: Built) => void,
  failed: (error: Error | RollupError) => void,
): Promise<() => Promise<void>> {
  const plans = await plan(boards);
  const watcher = watch(plans.map(({ options }) => options));
  watcher.on("event", (event) => {
    if (event.code === "ERROR") failed(event.error);
    if (event.code !== "BUNDLE_END") return;
    const one = plans.find(({ options }) => event.output.includes(options.output.file));
    if (one !== undefined) built(report(one.board, one.options.output.file, one.limit));
    void event.result.close();
  });
  return () => watcher.close();
}
