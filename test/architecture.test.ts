import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { parseAst } from "rollup/parseAst";
import { describe, expect, it } from "vitest";
import { analyse } from "../scripts/build/gate/scopes.mjs";
import { FUNCTIONS, memberName, type Node, walk } from "../scripts/build/gate/tree.mjs";

/** The fences between the folders, which the compiler holds only in part. */
const root = resolve(import.meta.dirname, "..");

const TYPESCRIPT = [".ts", ".mts", ".mjs"];
const C = [".c", ".h"];
const FOLDERS = ["protocol", "firmware", "cloud", "simulator", "scripts"];

/** What a folder may import: folders of ours, and whether npm packages and Node's modules. */
const FENCES: { [folder: string]: { folders: string[]; packages: boolean } } = {
  protocol: { folders: ["protocol"], packages: false },
  firmware: { folders: ["firmware", "protocol"], packages: false },
  cloud: { folders: ["cloud", "protocol"], packages: true },
  simulator: { folders: ["simulator", "protocol", "cloud/crypto"], packages: true },
  scripts: { folders: ["scripts", "cloud", "simulator", "protocol"], packages: true },
};

/** The language itself, as Espruino has it; all other globals are a board's. */
const LANGUAGE = new Set(
  `Array Boolean Date Error Infinity JSON Math NaN Number Object Promise RegExp String TypeError
   Uint8Array arguments isNaN parseFloat parseInt undefined`.split(/\s+/),
);

/** Files of a folder by extension, as paths from the root; none when there is no such folder. */
function files(folder: string, extensions: string[]): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, encoding: "utf8" })
    .filter((file) => extensions.includes(extname(file)))
    .map((file) => join(folder, file))
    .sort();
}

const lineCount = (file: string) => read(file).trimEnd().split("\n").length;

const read = (file: string) => readFileSync(join(root, file), "utf8");

const IMPORT =
  /^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

function imports(file: string): string[] {
  return [...read(file).matchAll(IMPORT)].map(([, from, inPlace]) => from ?? inPlace ?? "");
}

/** Imports that are compiled away are no part of a cycle at run time. */
function runtimeImports(file: string): string[] {
  const text = read(file).replace(/^\s*(?:import|export)\s+type\s[^"']*["'][^"']+["']/gm, "");
  return [...text.matchAll(IMPORT)].flatMap(([, from]) => (from?.startsWith(".") ? [from] : []));
}

const target = (file: string, specifier: string) =>
  relative(root, resolve(root, dirname(file), specifier));

const isWithin = (file: string, folders: string[]) =>
  folders.some((folder) => file.startsWith(`${folder}/`));

function isAllowed(file: string, specifier: string, folder: string): boolean {
  const fence = FENCES[folder];
  if (fence === undefined) return false;
  if (specifier.startsWith(".")) return isWithin(target(file, specifier), fence.folders);
  if (specifier.startsWith("coseflow:")) return file === "firmware/main.ts";
  return fence.packages;
}

const describeImport = (file: string, specifier: string) => `${file} imports ${specifier}`;

describe("imports", () => {
  it.each(Object.keys(FENCES))("of %s stay within its fence", (folder) => {
    const crossed = files(folder, TYPESCRIPT).flatMap((file) =>
      imports(file)
        .filter((specifier) => !isAllowed(file, specifier, folder))
        .map((specifier) => describeImport(file, specifier)),
    );
    expect(crossed).toEqual([]);
  });

  it("of what is shipped name only packages that are installed with it", () => {
    const { dependencies } = JSON.parse(read("package.json"));
    const shipped = ["cloud", "simulator", "scripts"].flatMap((folder) => files(folder, [".ts"]));
    const undeclared = shipped.flatMap((file) =>
      imports(file)
        .filter((specifier) => !specifier.startsWith(".") && !isBuiltin(specifier))
        .filter((specifier) => !Object.hasOwn(dependencies, packageName(specifier)))
        .map((specifier) => describeImport(file, specifier)),
    );
    expect(undeclared).toEqual([]);
  });

  it("make no cycle", () => {
    const all = FOLDERS.flatMap((folder) => files(folder, TYPESCRIPT));
    const graph = new Map(
      all.map((file) => [file, runtimeImports(file).map((specifier) => target(file, specifier))]),
    );
    expect(findCycle(graph)).toEqual([]);
  });

  it("find what they look for", () => {
    expect(imports("protocol/errors.ts")).toEqual([]);
    expect(imports("test/architecture.test.ts")).toContain("../scripts/build/gate/scopes.mjs");
    expect(imports("firmware/virtual.d.ts")).toContain("./config.ts");
    expect(
      findCycle(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
    ).toEqual(["b", "c", "b"]);
  });
});

/** "@scope/name/part" and "name/part" without the part. */
function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** The files of one cycle, first and last the same; empty when there is none. */
function findCycle(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const follow = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    done.add(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = follow(next, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = follow(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe("the core of flashing", () => {
  it.each([
    ["scripts/flash", ["scripts/flash"]],
    ["scripts/web", ["scripts/web", "scripts/flash"]],
  ])("runs in a browser too: %s imports %j and the loader's library", (folder, allowed) => {
    const core = files(folder, [".ts"]);
    expect(core.length).toBeGreaterThan(0);
    const foreign = core.flatMap((file) =>
      imports(file)
        .filter((specifier) =>
          specifier.startsWith(".")
            ? !isWithin(target(file, specifier), allowed)
            : specifier !== "esptool-js",
        )
        .map((specifier) => describeImport(file, specifier)),
    );
    expect(foreign).toEqual([]);
  });
});

describe("the code that runs on a device", () => {
  const device = ["protocol", "firmware"].flatMap((folder) => files(folder, [".ts"]));

  it("uses a board's globals in firmware/espruino and main.ts only", () => {
    const logic = device.filter((file) => {
      return !file.endsWith(".d.ts") && !/^firmware\/(?:espruino\/|main\.ts$)/.test(file);
    });
    expect(logic.length).toBeGreaterThan(0);
    const found = logic.flatMap((file) => boardGlobals(file).map((name) => `${file} uses ${name}`));
    expect(found).toEqual([]);
  });

  it("reads messages in statements of their own, where a refusal costs nothing (DESIGN.md, 1)", () => {
    const found = device
      .filter((file) => /^(?:protocol|firmware\/provision)\//.test(file))
      .flatMap((file) => readsInCalls(file).map((text) => `${file}: ${text}`));
    expect(found).toEqual([]);
    const sample = "const a = tell(f(1 + reader.head(0))); list.push(readText(reader));";
    expect(readsIn(sample)).toEqual(["f(1 + reader.head(0))"]);
  });

  it("is ASCII", () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII's
    expect(device.filter((file) => /[^\x00-\x7f]/.test(read(file)))).toEqual([]);
  });

  it("uses cryptography through one door", () => {
    const cose = files("protocol/cose", [".ts"]).flatMap((file) =>
      imports(file).map((specifier) => target(file, specifier)),
    );
    expect(
      cose.filter((file) => /crypto/.test(file) && file !== "protocol/cose/crypto.ts"),
    ).toEqual([]);
  });
});

/** Free names of a compiled file beside the language's own. `npm run build` compiles. */
function boardGlobals(file: string): string[] {
  const { references } = analyse(parseAst(read(join("dist", file.replace(/\.ts$/, ".js")))));
  const free = references.filter(
    ({ name, variable }) => variable === undefined && !LANGUAGE.has(name),
  );
  return [...new Set(free.map(({ name }) => name))];
}

/** What refuses a message in the middle of it, and what takes an argument without variables of its own. */
const READS = /^(?:head|take|bytes|bytesOf|counter|peek|rest|read[A-Z]\w*)$/;
const NATIVE = ["push", "concat"];

const calleeOf = ({ callee }: Node) => callee as Node & { name?: string };

/** Calls of the code with a read among their arguments, but for those inside a function of its own. */
function readsIn(code: string): string[] {
  const found: string[] = [];
  walk(parseAst(code), (node, ancestors) => {
    if (node.type !== "CallExpression") return;
    const name = calleeOf(node).name ?? memberName(calleeOf(node));
    if (!READS.test(name ?? "")) return;
    let inner = node;
    for (const outer of [...ancestors].reverse()) {
      if (FUNCTIONS.includes(outer.type)) return;
      const isCall = outer.type === "CallExpression" && outer.callee !== inner;
      if (isCall && !NATIVE.includes(memberName(calleeOf(outer)) ?? "")) {
        found.push(code.slice(outer.start, outer.end as number));
        return;
      }
      inner = outer;
    }
  });
  return found;
}

/** `npm run build` compiles. */
const readsInCalls = (file: string) => readsIn(read(join("dist", file.replace(/\.ts$/, ".js"))));

describe("every file", () => {
  it("is short enough to read in one go", () => {
    const typescript = [...FOLDERS, "test"].flatMap((folder) => files(folder, TYPESCRIPT));
    const long = [
      ...typescript.filter((file) => lineCount(file) > 300),
      ...files("native", C).filter((file) => lineCount(file) > 400),
    ];
    expect(long).toEqual([]);
  });

  it("leaves Math.random alone", () => {
    const code = ["protocol", "firmware", "cloud", "scripts"].flatMap((folder) =>
      files(folder, [".ts"]),
    );
    expect(code.filter((file) => /\bMath\s*\.\s*random\b/.test(read(file)))).toEqual([]);
  });
});

describe("the C core", () => {
  it("knows neither of its hosts", () => {
    const core = files("native/core", C);
    expect(core.length).toBeGreaterThan(0);
    const host = /#\s*include\s*[<"][^>"]*(?:node_api|jsvar|jswrap|jsutils)/;
    expect(core.filter((file) => host.test(read(file)))).toEqual([]);
  });
});
