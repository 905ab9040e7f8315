/** When `coseflow flash` takes the bundle that is there, and when it builds another. */
import {
  appendFileSync,
  cpSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type OutputOptions, rollup } from "rollup";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleOptions } from "../../../scripts/build/bundle.mjs";
import { isCurrent } from "../../../scripts/cli/flash-bundle.ts";
import { repositoryRoot } from "../../../simulator/repository.ts";
import { temporaryDirectory } from "../../support/built.ts";

let remove: () => Promise<void>;
/** As built, and what each test works on. */
let pristine: string;
let place: string;
const at = (...path: string[]) => join(place, ...path);
const judge = () => isCurrent(at("build", "linux.js"), at("boards", "linux.json"), at("dist"));

beforeAll(async () => {
  let directory: string;
  [directory, remove] = await temporaryDirectory("flash-bundle");
  pristine = join(directory, "pristine");
  place = join(directory, "place");
  for (const folder of ["boards", "dist/firmware", "dist/protocol"])
    cpSync(join(repositoryRoot(), folder), join(pristine, folder), { recursive: true });
  const { output, ...input } = bundleOptions({
    boardFile: join(pristine, "boards", "linux.json"),
    dist: join(pristine, "dist"),
    outputDirectory: join(pristine, "build"),
  });
  const built = await rollup(input);
  await built.write(output as OutputOptions);
  await built.close();
});
afterAll(() => remove());
beforeEach(() => {
  rmSync(place, { recursive: true, force: true });
  cpSync(pristine, place, { recursive: true });
});

describe("a bundle is current", () => {
  it("as it was built, wherever it lies and whatever the dates of files", async () => {
    expect(await judge()).toBe(true);
    for (const file of ["boards/linux.json", "dist/firmware/sampler.js"])
      utimesSync(at(file), new Date(), new Date());
    expect(await judge()).toBe(true);
  });

  it("when another board was changed", async () => {
    appendFileSync(at("boards", "xiao-esp32-c3.json"), "\n");
    expect(await judge()).toBe(true);
  });
});

describe("a bundle is not current", () => {
  it.each<[string, () => void]>([
    ["its board file was changed", () => appendFileSync(at("boards", "linux.json"), "\n")],
    ["a file of the firmware was", () => appendFileSync(at("dist/firmware/sampler.js"), "\n")],
    ["a file of the protocol was", () => appendFileSync(at("dist/protocol/senml.js"), "\n")],
    ["a driver was added", () => writeFileSync(at("dist/firmware/sensors/new.js"), "")],
    ["a file was removed", () => rmSync(at("dist/firmware/led.js"))],
    [
      "a file was renamed",
      () => renameSync(at("dist/firmware/led.js"), at("dist/firmware/light.js")),
    ],
    ["it is cut off, as by a full disk", () => truncateSync(at("build/linux.js"), 1000)],
    ["it was changed by hand", () => appendFileSync(at("build/linux.js"), ";")],
    ["nothing says what it was made of", () => rmSync(at("build/linux.size.json"))],
    ["that is cut off", () => truncateSync(at("build/linux.size.json"), 40)],
    ["it is not there", () => rmSync(at("build/linux.js"))],
  ])("when %s", async (_what, change) => {
    change();
    expect(await judge()).toBe(false);
  });
});
