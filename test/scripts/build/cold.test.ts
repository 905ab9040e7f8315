import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { COLD, loadColdModule } from "../../../scripts/build/cold.mjs";
import { temporaryDirectory } from "../../support/built.ts";

const DIST = join(import.meta.dirname, "../../../dist");

const removers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of removers.splice(0)) await remove();
});

/** The compiled sources of the device in a folder of their own, and what lies in its `cold`. */
async function copyDist() {
  const [dist, remove] = await temporaryDirectory("cold");
  removers.push(remove);
  for (const folder of ["firmware", "protocol"])
    cpSync(join(DIST, folder), join(dist, folder), { recursive: true });
  return { dist, kept: () => readdirSync(join(dist, "cold")) };
}

it("is kept beside the compiled sources, and another once they change", async () => {
  const { dist, kept } = await copyDist();
  const made = await loadColdModule(dist);
  for (const name of Object.keys(COLD)) expect(made.code).toContain(`export function ${name}() {`);
  expect(made.files).toContain(join("firmware", "cold.js"));
  expect(made.sizes["firmware/health"]).toBeGreaterThan(100);
  const [first] = kept();
  expect(await loadColdModule(dist)).toEqual(made);

  appendFileSync(join(dist, "firmware", "losses.js"), "export const MORE = 1;\n");
  await loadColdModule(dist);
  expect(kept()).toHaveLength(1);
  expect(kept()).not.toEqual([first]);
});

it("is made anew where what was kept is cut off", async () => {
  const { dist, kept } = await copyDist();
  const made = await loadColdModule(dist);
  const file = join(dist, "cold", kept()[0] as string);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length / 2));
  expect(await loadColdModule(dist)).toEqual(made);
  expect(readFileSync(file)).toEqual(whole);
});

it("is made where it cannot be kept", async () => {
  const { dist } = await copyDist();
  // A file where the folder would be: root may write to any folder.
  writeFileSync(join(dist, "cold"), "");
  const { code } = await loadColdModule(dist);
  expect(code).toContain("loadCold()");
  expect(readFileSync(join(dist, "cold"), "utf8")).toBe("");
});
