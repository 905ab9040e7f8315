/**
 * The blocks of commands in the documents, typed as they are written there, in a clone of their own.
 * Names of hosts and ports, and the key of the device, are those of the test.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { type Clone, makeClone } from "../support/clone.ts";
import { blocks, commandBlocks, DOCUMENTS, readDocument, section } from "../support/documents.ts";
import { freePort } from "../support/free-port.ts";
import { shows, type Terminal, toItsEnd, type } from "../support/terminals.ts";

const WALK_MS = 400_000;
/** Has a test of its own, readme-walk. */
const WALK = blocks(section(readDocument("README.md"), "A device's whole life"), "sh");

const runnable = DOCUMENTS.flatMap(commandBlocks)
  .filter(({ block, notRun }) => notRun === undefined && !WALK.includes(block))
  .map(({ document, block }) => `${document}\n${block}`);

/** Each block that a test below types, by the beginning of it. */
const TYPED = {
  cloud: "README.md\nmosquitto -p 18883 &\nnpx coseflow ca init",
  device: "README.md\nnpx coseflow simulate",
  register: "README.md\nnpx coseflow device register",
  audit: "README.md\nnpx coseflow audit",
  inspect: "README.md\nnpx coseflow inspect",
  completion: "README.md\nmkdir -p ~/.local",
  board: "README.md\nnpx coseflow init",
  linux: "docs/boards/linux.md\nnpx coseflow build",
};

function blockOf(name: keyof typeof TYPED): string {
  const [block, ...others] = runnable.filter((one) => one.startsWith(TYPED[name]));
  expect(others).toEqual([]);
  return (block as string).replace(/^.*\n/, "");
}

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function sit(): Promise<Clone> {
  const clone = await makeClone("guides");
  cleanUp.push(clone.remove);
  return clone;
}

/** Types what a document says, with these words in place of those that only stand for something. */
function enter(clone: Clone, block: string, words: [string | RegExp, string][] = []): Terminal {
  const text = words.reduce((before, [word, meant]) => before.replaceAll(word, meant), block);
  const terminal = type(text, clone);
  cleanUp.push(terminal.stop);
  return terminal;
}

it("types every block of commands that is not marked", () => {
  const typed = Object.values(TYPED).map((begin) =>
    runnable.filter((one) => one.startsWith(begin)),
  );
  expect(typed.flat().sort()).toEqual([...runnable].sort());
});

describe("README, the parts one by one", () => {
  it("works as it is written, and so does a look at its messages", {
    timeout: WALK_MS,
  }, async () => {
    const clone = await sit();
    const port = await freePort();
    const url = `mqtt://localhost:${port}`;
    const words: [string | RegExp, string][] = [
      ["18883", String(port)],
      [/mqtt:\/\/localhost$/gm, url],
    ];
    const serve = enter(clone, blockOf("cloud"), words);
    await shows(serve, /"event":"connected"/);

    const watcher = connect(url);
    cleanUp.push(() => watcher.endAsync(true));
    await watcher.subscribeAsync("cf/1/+/session");
    const captured = new Promise<[string, Buffer]>((resolve) => {
      watcher.once("message", (topic, message) => resolve([topic, message]));
    });

    const device = enter(clone, blockOf("device"), words);
    const at = await shows(device, /coseflow device register --key 04/);
    const [key = ""] = /04[0-9a-f]{128}/.exec(device.screen.lines[at - 1] ?? "") ?? [];
    const listed = await toItsEnd(enter(clone, blockOf("register"), [["04...", key]]));
    expect(listed).toContain("desk");
    const [keyId = ""] = /^[0-9a-f]{16}$/m.exec(listed) ?? [];
    const [topic, message] = await captured;
    expect(topic).toBe(`cf/1/${keyId}/session`);
    writeFileSync(join(clone.cwd, "captured.bin"), message);
    await shows(device, /^state: streaming$/);

    const inspected = enter(clone, blockOf("inspect"), [...words, ["7dede6efc46eb7e6", keyId]]);
    expect((await toItsEnd(inspected)).match(/signature +ok/g)).not.toBeNull();

    await device.stop();
    const linux = enter(clone, blockOf("linux"), words);
    await shows(linux, /^linux: \d+ of at most \d+ bytes/);
    await shows(linux, /^state: streaming$/);

    const audited = await toItsEnd(enter(clone, blockOf("audit")));
    expect(audited).toMatch(/^whole: \d+ rows/m);
    expect(audited).toContain("revoked, for ever");
  });
});

describe("README, a board of your own", () => {
  it("works as it is written", { timeout: WALK_MS }, async () => {
    const clone = await sit();
    writeFileSync(join(clone.cwd, "wifi.txt"), "the password\n");
    const shown = await toItsEnd(enter(clone, blockOf("board")));
    expect(shown).toContain("boards/greenhouse.json: ok");
    expect(existsSync(join(clone.cwd, "build", "firmware", "greenhouse.js"))).toBe(true);
  });
});

describe("README, the completion of commands", () => {
  it("works as it is written", { timeout: WALK_MS }, async () => {
    const clone = await sit();
    await toItsEnd(enter(clone, blockOf("completion")));
    const script = ".local/share/bash-completion/completions/coseflow";
    const shown = await toItsEnd(enter(clone, `. ~/${script}; complete -p coseflow`));
    expect(shown).toBe("complete -F _coseflow coseflow");
  });
});
