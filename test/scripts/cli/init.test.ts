import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createValidator } from "../../../scripts/board/validate.ts";
import { init, readReady } from "../../../scripts/cli/init.ts";
import { temporaryDirectory } from "../../support/built.ts";
import { run } from "./run.ts";

const root = join(import.meta.dirname, "..", "..", "..");

let directory: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("init");
});
afterEach(() => remove());

const read = (name: string) => JSON.parse(readFileSync(join(directory, name), "utf8"));

/** Somebody at a terminal, with an answer to each question. */
function personWith(...answers: string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough({ encoding: "utf8" });
  let shown = "";
  output.on("data", (text: string) => {
    shown += text;
    const answer = text.endsWith(": ") ? answers.shift() : undefined;
    if (answer !== undefined) setImmediate(() => input.write(`${answer}\n`));
  });
  return { terminal: { input, output }, shown: () => shown, left: () => answers };
}

/** All that a board with Wi-Fi needs. */
function given(...more: string[]): string[] {
  const file = join(directory, "wifi.txt");
  writeFileSync(file, "hunter22\n");
  return [
    ..."init shed --like esp32-c3-supermini --wifi home --broker mqtts://b.example".split(" "),
    ...["--wifi-password-file", file, "--directory", directory, ...more],
  ];
}

describe("a ready board", () => {
  it.each([
    ["null", /expected a board file, got something else/],
    ['{ "sensors": [1] }', /expected a board file, got something else/],
    ["{", /ready\.json:1:2: \/, expected JSON, got/],
    ["", /ready\.json:1:1: \/, expected JSON, got/],
  ])("that holds %j is refused by its name", (text, why) => {
    writeFileSync(join(directory, "ready.json"), text);
    expect(() => readReady("ready", directory)).toThrow(why);
  });
});

describe("coseflow init, by its options", () => {
  it("writes a board file that holds, and a secrets file for its owner", async () => {
    const { code, out, error } = await run(
      ...given("--sensor", "sht3x:60", "--sensor", "ds18b20:30:D4", "--sensor", "bme280"),
    );
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(error).toContain('/sensors/1, expected a "name" of its own');
    expect(existsSync(join(directory, "shed.json"))).toBe(false);

    const ran = await run(...given("--sensor", "sht3x:60", "--sensor", "pulses:30:D4"));
    const files = ["shed.json", "shed.secrets.json"].map((name) => join(directory, name));
    expect(ran).toEqual({ code: 0, error: "", out: `${files.join("\n")}\n` });
    const text = readFileSync(join(directory, "shed.json"), "utf8");
    expect(createValidator()(text, "shed")).toEqual([]);
    const board = JSON.parse(text);
    expect(existsSync(join(directory, board.$schema))).toBe(true);
    expect(board).toMatchObject({
      chip: "esp32-c3",
      led: { pin: "D8" },
      sensors: [
        { driver: "sht3x", periodSeconds: 60, qos: 1 },
        { driver: "pulses", periodSeconds: 30, qos: 1, pin: "D4" },
      ],
    });
    expect(text).not.toMatch(/hunter22|home|b\.example/);
    expect(read("shed.secrets.json")).toEqual({
      brokers: [{ host: "b.example", port: 8883, tls: true }],
      wifi: [{ ssid: "home", password: "hunter22" }],
    });
    expect(statSync(join(directory, "shed.secrets.json")).mode & 0o777).toBe(0o600);
  });

  it("writes over neither of the two", async () => {
    for (const name of ["shed.json", "shed.secrets.json"]) {
      writeFileSync(join(directory, name), "mine");
      const { code, error } = await run(...given());
      expect(code).toBe(1);
      expect(error).toContain(`${name}, expected no such file, got one`);
      expect(readFileSync(join(directory, name), "utf8")).toBe("mine");
      const others = readdirSync(directory).filter((file) => /^shed/.test(file));
      expect(others).toEqual([name]);
      await remove();
      [directory, remove] = await temporaryDirectory("init");
    }
  });

  it.each([
    ["a sensor that there is not", ["--sensor", "sht3"], 2, "did you mean sht3x?"],
    [
      "a board that there is not",
      ["--like", "esp8266"],
      1,
      "expected the name of a file in boards/",
    ],
    ["a pin that is taken", ["--sensor", "pulses:5:D9"], 1, "a pin of its own (button.pin has it)"],
    ["a broker by another way", ["--broker", "http://b"], 2, "mqtt://"],
  ])("refuses %s, in one line", async (_, more, code, words) => {
    const ran = await run(...given(...more));
    expect(ran.code).toBe(code);
    expect(ran.error).toContain(words);
    expect(ran.error.trimEnd().split("\n")).toHaveLength(1);
    expect(existsSync(join(directory, "shed.json"))).toBe(false);
  });

  it("names the option that is missing where nobody can be asked", async () => {
    const terminal = { input: new PassThrough(), output: new PassThrough() };
    const options = { directory, like: "linux" };
    await expect(init("shed", options, terminal)).rejects.toThrow("--broker, expected it");
    await expect(init(undefined, options, terminal)).rejects.toThrow("name, expected it");
  });
});

describe("coseflow init, asking", () => {
  it("takes usual answers, and asks again for one that does not hold", async () => {
    const person = personWith(
      "",
      "Shed",
      "shed",
      "xiao",
      "xiao-esp32-c3",
      "",
      "home",
      "hunter22",
      "",
    );
    const files = await init(undefined, { directory }, person.terminal);
    expect(files).toHaveLength(2);
    expect(person.left()).toEqual([]);
    expect(read("shed.json")).toMatchObject({
      name: "shed",
      i2c: { sda: "D6", scl: "D7" },
      sensors: [{ driver: "sht3x", periodSeconds: 10, qos: 1, address: 68 }],
    });
    expect(read("shed.secrets.json")).toEqual({
      brokers: [{ host: "localhost", port: 1883 }],
      wifi: [{ ssid: "home", password: "hunter22" }],
    });
    expect(person.shown()).toContain("Which ready board is it [esp32-c3-devkitm-1]: ");
    expect(person.shown()).not.toContain("hunter22");
  });

  it("asks for no Wi-Fi where the board has none", async () => {
    const person = personWith("shed", "linux", "host:5", "mqtt://b.example:1884");
    await init(undefined, { directory }, person.terminal);
    expect(read("shed.json").sensors).toEqual([{ driver: "host", periodSeconds: 5, qos: 1 }]);
    expect(read("shed.secrets.json")).toEqual({ brokers: [{ host: "b.example", port: 1884 }] });
  });

  it("ends with the input", async () => {
    const person = personWith();
    const end = init(undefined, { directory }, person.terminal);
    person.terminal.input.end();
    await expect(end).rejects.toThrow("got the end of the input");
  });
});

it("keeps secrets files out of git", () => {
  const file = join("boards", "shed.secrets.json");
  expect(execFileSync("git", ["check-ignore", file], { cwd: root, encoding: "utf8" }).trim()).toBe(
    file,
  );
});
