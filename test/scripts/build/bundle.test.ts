import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { rollup } from "rollup";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listBoards } from "../../../scripts/build/boards.mjs";
import { bundleOptions } from "../../../scripts/build/bundle.mjs";

const BOARD = {
  $schema: "./board.schema.json",
  chip: "esp32-c3",
  flashMegabytes: 4,
  name: "bench",
  sensors: [{ driver: "thermometer", periodSeconds: 10, qos: 1 }],
};

const SOURCES = {
  "boards/bench.json": JSON.stringify(BOARD),
  "dist/protocol/bytes.js":
    "export function twice(text) { return text + text; } export const MARK = '\\u00e9\\x01';",
  "dist/firmware/sensors/thermometer.js":
    "export function createSensor(ports, config) { return { read() { return config.qos; } }; }",
  "dist/firmware/sensors/hygrometer.js": "export function createSensor() { return 'unused'; }",
  "dist/firmware/main.js": `
    import board from "coseflow:board";
    import drivers from "coseflow:drivers";
    import { MARK, twice } from "../protocol/bytes.js";
    const sensor = drivers[board.sensors[0].driver]({}, board.sensors[0]);
    // A comment that stays behind.
    print(twice(board.name) + sensor.read() + Object.keys(board).join() + MARK);`,
};

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "coseflow-bundle-"));
  write(SOURCES);
});

afterEach(() => rmSync(root, { recursive: true }));

function write(files: { [path: string]: string }): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

async function build(): Promise<string> {
  const plan = {
    boardFile: join(root, "boards", "bench.json"),
    dist: join(root, "dist"),
    outputDirectory: join(root, "build"),
  };
  const options = bundleOptions(plan);
  const bundle = await rollup(options);
  await bundle.write(options.output);
  return readFileSync(join(root, "build", "bench.js"), "latin1");
}

/** A build whose main module is the given text. */
function buildMain(text: string): Promise<string> {
  write({ "dist/firmware/main.js": text });
  return build();
}

describe("a board's bundle", () => {
  it("runs as a script with the board and only its drivers", async () => {
    const code = await build();
    const printed: string[] = [];
    runInNewContext(code, { print: (line: string) => printed.push(line) });
    expect(printed).toEqual(["benchbench1name,sensors\u00e9\x01"]);
    expect(code).not.toContain("unused");
  });

  it("leaves out code for what the board does not have", async () => {
    const main = `import { HAS_BUTTON, HAS_LED, IS_ESP32 } from "coseflow:parts";
      print(HAS_LED ? "a led" : "", HAS_BUTTON ? "a button" : "", IS_ESP32 ? "a radio" : "");`;
    const none = await buildMain(main);
    write({
      "boards/bench.json": JSON.stringify({ ...BOARD, network: "wifi", led: { pin: "D2" } }),
    });
    const some = await buildMain(main);
    const has = (code: string) =>
      ["a led", "a button", "a radio"].map((part) => code.includes(part));
    expect([has(none), has(some)]).toEqual([
      [false, false, false],
      [true, false, true],
    ]);
  });

  it("is minified ASCII without comments, and the same every time", async () => {
    const code = await build();
    expect(code).toMatch(/^[\n\x20-\x7e]+$/);
    expect(code).not.toContain("comment");
    expect(await build()).toBe(code);
  });

  it("holds the values of constants, not their names", async () => {
    const code = await buildMain("const LIMIT = 24; print(LIMIT); print(LIMIT);");
    expect(code).toBe("print(24);print(24);\n");
  });

  it("is broken into short lines", async () => {
    const code = await buildMain("print(E);".repeat(500));
    for (const line of code.split("\n")) expect(line.length).toBeLessThan(100);
  });

  it("never shortens a name to a reserved word or a global", { timeout: 60_000 }, async () => {
    const names = Array.from({ length: 4000 }, (_, index) => `name${index}`);
    const code = await buildMain(
      `${names.map((name) => `const ${name} = getTime();`).join("\n")}print([${names}].length);`,
    );
    const short = [...code.matchAll(/const\s([\w$]+)=/g)].map(([, name]) => name);
    expect(short).toHaveLength(4000);
    expect(short).toContain("oe");
    for (const taken of ["of", "E", "D5", "I2C1"]) expect(short).not.toContain(taken);
  });

  it("records its size, in whole and by folder", async () => {
    const code = await build();
    const sizes = JSON.parse(readFileSync(join(root, "build", "bench.size.json"), "utf8"));
    expect(sizes.bytes).toBe(code.length);
    expect(Object.keys(sizes.parts)).toEqual([
      "boards",
      "firmware",
      "firmware/sensors",
      "protocol",
    ]);
    for (const size of Object.values(sizes.parts)) expect(size).toBeGreaterThan(0);
  });
});

describe("a bundle is refused", () => {
  it.each([
    ["an npm package", `import "cbor-x";`, /cbor-x/],
    ["a module of Node", `import "node:fs";`, /node:fs/],
    ["a missing file", `import "./gone.js";`, /gone/],
    ["a file outside the device's folders", `import "../cloud/main.js";`, /cloud/],
    ["what the gate refuses", "print(a => a?.b);", /optional-chaining/],
    ["text that does not parse", "print(;", /Expression expected|Unexpected|Expected/i],
    ["an export of the entry", "export const a = 1;", /export/i],
  ])("for %s", async (_what, text, message) => {
    write({ "dist/cloud/main.js": "print(1);" });
    await expect(buildMain(text)).rejects.toThrow(message);
  });

  it("for an import cycle", async () => {
    write({ "dist/firmware/other.js": `import { a } from "./main.js"; print(a);` });
    const text = `import "./other.js"; export const a = 1;`;
    await expect(buildMain(text)).rejects.toThrow(/circular/i);
  });

  it.each(["../../secret", "Thermometer", "no-such-driver"])(
    "for the driver %s",
    async (driver) => {
      write({ "boards/bench.json": JSON.stringify({ ...BOARD, sensors: [{ driver }] }) });
      await expect(build()).rejects.toThrow(driver);
    },
  );

  it("for a board file that is no JSON", async () => {
    write({ "boards/bench.json": "{" });
    await expect(build()).rejects.toThrow(/bench\.json/);
  });
});

describe("a board that sleeps", () => {
  it("says so to the firmware, and others do not", async () => {
    const main = 'import { SLEEPS } from "coseflow:parts"; print(SLEEPS ? "it sleeps" : "");';
    expect(await buildMain(main)).not.toContain("it sleeps");
    write({
      "boards/bench.json": JSON.stringify({ ...BOARD, network: "wifi", sleep: { seconds: 2100 } }),
    });
    expect(await buildMain(main)).toContain("it sleeps");
  });
});

describe("the list of boards", () => {
  it("is sorted and leaves schemas out", () => {
    write({ "boards/arm.json": "{}", "boards/board.schema.json": "{}", "boards/notes.txt": "" });
    expect(listBoards(join(root, "boards"))).toEqual(["arm", "bench"]);
  });
});
