/** One for each file of tests: they run in processes of their own. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, expect } from "vitest";
import { finish } from "./log.ts";
import { createRecorder } from "./recorder.ts";

const FOLDER = process.env.COSEFLOW_RECORD as string;
const recorder = createRecorder(JSON.parse(readFileSync(join(FOLDER, "exports.json"), "utf8")));
export const record = recorder.record;

afterAll(() => {
  const root = join(import.meta.dirname, "../../..");
  const name = relative(root, expect.getState().testPath as string).replaceAll("/", "-");
  const log = finish(recorder.lines, recorder.exported, recorder.unsaid());
  writeFileSync(join(FOLDER, `${name}.json`), JSON.stringify(log));
});
