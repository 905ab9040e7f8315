/**
 * README's walk through a device's whole life, as it is written there: three terminals, each with
 * its lines, in an empty folder. Only the port is another, and what was built before is used.
 */
import { afterEach, expect, it } from "vitest";
import { makeClone } from "../support/clone.ts";
import { blocks, readDocument, section } from "../support/documents.ts";
import { freePort } from "../support/free-port.ts";
import { shows, toItsEnd, type } from "../support/terminals.ts";

const SECTION = "A device's whole life";
const PORT = "18883";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

it("works as it is written", { timeout: 240_000 }, async () => {
  const clone = await makeClone("walk");
  cleanUp.push(clone.remove);
  const port = await freePort();

  function enter(block: string) {
    const terminal = type(block.replaceAll(PORT, String(port)).replace(/^npm .*\n/gm, ""), clone);
    cleanUp.push(terminal.stop);
    return terminal;
  }

  const walk = blocks(section(readDocument("README.md"), SECTION), "sh");
  expect(walk).toHaveLength(5);
  const [cloud, board, ...operator] = walk as [string, string, string, string, string];
  await shows(enter(cloud), /"event":"connected"/);
  const device = enter(board);
  const enrolled = await shows(device, /^enrolled as shed of ann$/);
  await shows(device, /^state: streaming$/, enrolled);

  const first = await toItsEnd(enter(operator[0]));
  expect(first).toMatch(/enrolled +shed +ann/);
  for (const end of ["update \\d+: done", "request \\d+: done"])
    expect(first).toMatch(new RegExp(`^${end}`, "m"));
  await shows(device, /^enrolled as shed of ann$/, enrolled);
  expect(await toItsEnd(enter(operator[1]))).toMatch(/^update \d+: rolled/m);
  await shows(device, /^new key known to the cloud: the old one is erased$/);
  expect(await toItsEnd(enter(operator[2]))).toMatch(/^delete \d+: deleted$/m);
  await shows(device, /^device deprovisioned: nothing is left$/);
});
