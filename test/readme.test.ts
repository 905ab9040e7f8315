import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { DRIVERS } from "../scripts/board/drivers.ts";
import { createValidator } from "../scripts/board/validate.ts";
import { listBoards } from "../scripts/build/boards.mjs";
import { HEADING } from "../scripts/cli/demo-view.ts";
import { EXIT } from "../scripts/cli/exit-code.ts";
import { runCli } from "../scripts/cli/program.ts";
import {
  blocks,
  commandBlocks,
  DOCUMENTS,
  NOT_RUN,
  readDocument as read,
  section,
} from "./support/documents.ts";

/** What the documents say is there: paths, commands, links, and what the demo prints. */
const root = resolve(import.meta.dirname, "..");
/** Folders that are made, or that hold no part of the project. */
const MADE = ["node_modules", "dist", "build", "coverage"];

/** Lines from the top that a reader sees without moving. */
const FIRST_SCREEN = 30;

const readme = read("README.md");

const folders = readdirSync(root).filter(
  (name) =>
    !name.startsWith(".") && !MADE.includes(name) && statSync(join(root, name)).isDirectory(),
);

/** The rows of a section's tables, cell by cell, without their heads. */
function rows(text: string): string[][] {
  const tables = text.match(/(?:^\|.*\n)+/gm) ?? [];
  return tables.flatMap((table) =>
    table
      .trim()
      .split("\n")
      .slice(2)
      .map((row) => row.split("|").map((cell) => cell.trim())),
  );
}

/** The pieces of code within the text. */
function spans(text: string): string[] {
  return [...text.replace(/^```.*?^```$/gms, "").matchAll(/`([^`\n]+)`/g)].map(
    ([, span]) => span ?? "",
  );
}

/** Paths in the text that start in a folder of the repository. */
function paths(text: string): string[] {
  return spans(text).filter((span) => {
    return /^[\w.-]+\/[\w./-]*$/.test(span) && folders.includes(span.split("/")[0] ?? "");
  });
}

const isThere = (path: string) => existsSync(join(root, path));

describe.each(DOCUMENTS)("%s", (document) => {
  it("names paths that exist", () => {
    expect(paths(read(document)).filter((path) => !isThere(path))).toEqual([]);
  });

  it("links to files and headings that exist", () => {
    expect(links(document).filter(({ file, anchor }) => !leadsTo(file, anchor))).toEqual([]);
  });

  it("is ASCII and names no place of one machine", () => {
    expect(read(document)).not.toMatch(/[^\n\x20-\x7e]/);
    expect(read(document)).not.toMatch(/(?:^|[\s"'`(=])\/(?:home|root|tmp|Users|work)\//m);
  });
});

/** Relative links: the file from the root, and the heading within it. */
function links(document: string): { file: string; anchor: string | undefined }[] {
  const targets = [...read(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to ?? "");
  return targets
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => {
      const [file, anchor] = to.split("#");
      return { file: file ? join(dirname(document), file) : document, anchor };
    });
}

function leadsTo(file: string, anchor: string | undefined): boolean {
  return isThere(file) && (anchor === undefined || anchors(file).includes(anchor));
}

/** Headings as GitHub turns them into anchors. */
function anchors(file: string): string[] {
  const headings = read(file).match(/^#+ .*$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, "")
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );
}

describe("README", () => {
  it("shows the two commands on the first screen", () => {
    const start = readme.split("\n").slice(0, FIRST_SCREEN);
    expect(start).toContain("npm ci && npm start");
    expect(start).toContain("npm ci && npm test");
  });

  it("walks a reading through files that exist, one after the other", () => {
    const walk = rows(section(readme, "One reading, file by file"));
    expect(walk.map(([, step]) => Number(step))).toEqual(walk.map((_, index) => index + 1));
    expect(walk.length).toBeGreaterThan(5);
    for (const [, , file = ""] of walk) expect(paths(file)).toEqual([file.replaceAll("`", "")]);
  });

  it("maps every folder", () => {
    const mapped = rows(section(readme, "Folders")).map(([, folder]) => folder);
    expect(mapped.sort()).toEqual(folders.map((folder) => `\`${folder}/\``).sort());
  });

  it("gives the exit codes of the command line", () => {
    const codes = rows(section(readme, "The parts, one by one")).map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT));
  });

  it("shows what the demo prints", async () => {
    const { code, out } = await runLine(["demo", "--readings", "2"]);
    expect(code).toBe(EXIT.ok);
    const [sample = ""] = blocks(readme, "");
    const shown = sample.split("\n").filter((line) => !/^(?:device|crypto): /.test(line));
    expect(shown.slice(0, HEADING.length)).toEqual(HEADING);
    expect(out.slice(0, 5).map(shape)).toEqual(shown.slice(0, 5).map(shape));
  });
});

/** A line of the demo without what differs from run to run: ciphertexts, values, sizes of readings. */
function shape(line: string): string {
  return line
    .replace(/[0-9a-f]{30}/, (bytes) => bytes.slice(0, 2))
    .replace(/^(reading +)\d+/, "$1")
    .replace(/ [\d.]+( +#)/, "$1");
}

async function runLine(args: string[]): Promise<{ code: number; out: string[] }> {
  let text = "";
  const code = await runCli(args, {
    out: (more) => {
      text += more;
    },
    error: () => {},
  });
  return { code, out: text.split("\n") };
}

/** One command line of a document: `coseflow` with these words and options. */
interface Line {
  words: string[];
  options: string[];
}

/** A command inside another stands for itself. */
function split(line: string): string[] {
  const inner = [...line.matchAll(/\$\(([^)]*)\)/g)].map(([, command]) => command ?? "");
  return [line.replace(/\$\([^)]*\)/g, "x"), ...inner];
}

/** A word behind these is the name of a board, or a file. */
const OF_BOARDS = /(coseflow (?:build|init|validate|flash|completion)) [a-z][\w./-]*/;

function toLine(command: string): Line | undefined {
  const options = command.match(/(?<=\s)--[a-z][a-z-]*/g) ?? [];
  if (/^npm start( --silent)? -- /.test(command))
    return { words: ["demo"], options: options.filter((option) => option !== "--silent") };
  const [, words] =
    /^(?:npx )?coseflow ([a-z]+(?: [a-z]+(?:-[a-z]+)?)?)(?= -| >|$)/.exec(
      command.replace(/ &$/, "").replace(OF_BOARDS, "$1"),
    ) ?? [];
  return words === undefined ? undefined : { words: words.split(" "), options };
}

const commands = DOCUMENTS.flatMap((document) => {
  const text = read(document);
  return [...blocks(text, "sh").flatMap((block) => block.split("\n")), ...spans(text)];
}).flatMap(split);

describe("commands in the documents", () => {
  it("of npm are scripts of package.json", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = commands.flatMap((command) =>
      [...command.matchAll(/\bnpm (?:run (\w+)|(start|test)\b)/g)].map(([, a, b]) => a ?? b ?? ""),
    );
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it("of coseflow are known to it, with all their options", async () => {
    const lines = commands.map(toLine).filter((line) => line !== undefined);
    expect(new Set(lines.map(({ words }) => words.join(" ")))).toEqual(
      new Set([...ENDING, ...KEYS_AND_DEVICES, ...AUDIT, ...PROVISION, ...RUNNING]),
    );
    for (const { words, options } of lines) {
      const { out } = await runLine([...words, "--help"]);
      expect(`${out[0]} `).toMatch(`Usage: coseflow ${words.join(" ")} [options] `);
      for (const option of options) expect(out.join("\n")).toContain(` ${option} `);
    }
  });
});

describe("blocks of commands in the documents", () => {
  it("are run by a test, or say above them why not", () => {
    const reasons = DOCUMENTS.flatMap(commandBlocks).flatMap(({ notRun }) => notRun ?? []);
    expect(new Set(reasons)).toEqual(new Set(NOT_RUN));
    const marks = DOCUMENTS.flatMap((file) => read(file).match(/<!-- not run:.*/g) ?? []);
    expect(marks).toHaveLength(reasons.length);
  });
});

/** Those that come to an end of their own. */
const ENDING = [
  "demo",
  "inspect",
  "doctor",
  "ports",
  "wifi",
  "flash",
  "build",
  "init",
  "validate",
].concat("completion");
const KEYS_AND_DEVICES = [
  "ca init",
  "ca issue",
  "ca list",
  "ca show",
  "claim new",
  "claim list",
].concat(["register", "list", "show", "revoke"].map((word) => `device ${word}`));
const AUDIT = ["audit tail", "audit verify", "audit export-head", "journal rebuild"];
const PROVISION = ["provision"].concat(
  ["request", "update", "delete", "status", "resend"].map((word) => `provision ${word}`),
);
/** Those that run until they are stopped. */
const RUNNING = ["serve", "simulate", "monitor", "repl"];

describe("the pages of docs/", () => {
  it("are one for each board and each sensor, and README leads to all", () => {
    const named = (folder: string) =>
      readdirSync(join(root, "docs", folder)).map((file) => file.replace(/\.md$/, ""));
    expect(named("boards").sort()).toEqual(listBoards(join(root, "boards")));
    expect(named("sensors").sort()).toEqual(DRIVERS.map(({ name }) => name).sort());
    const linked = links("README.md").map(({ file }) => file);
    for (const document of DOCUMENTS.filter((file) => file.startsWith("docs/")))
      expect(linked).toContain(document);
  });

  it("show entries of board files that hold", () => {
    const entries = DOCUMENTS.filter((file) => file.startsWith("docs/sensors/")).flatMap((file) =>
      blocks(read(file), "json"),
    );
    expect(entries.length).toBeGreaterThanOrEqual(DRIVERS.length);
    for (const entry of entries) {
      const { driver } = JSON.parse(entry);
      const board = {
        ...JSON.parse(
          read(driver === "host" ? "boards/linux.json" : "boards/esp32-c3-devkitm-1.json"),
        ),
        name: "bench",
        sensors: [JSON.parse(entry)],
      };
      expect(createValidator()(JSON.stringify(board), "bench")).toEqual([]);
    }
  });
});
