import { describe, expect, it } from "vitest";
import { formatFault } from "../../../scripts/board/fault.ts";
import { createValidator } from "../../../scripts/board/validate.ts";

const validate = createValidator();

const BOARD = {
  name: "bench",
  chip: "esp32-c3",
  network: "wifi",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  button: { pin: "D9", activeLow: true },
  sensors: [{ driver: "sht3x", periodSeconds: 10, qos: 1, address: 68 }],
  queue: { readings: 32, flash: 2500 },
};

/** The faults as they are shown, of the board with changes; a value of undefined is left out. */
function judge(change: object): string[] {
  const text = JSON.stringify({ ...BOARD, ...change }, null, 2);
  return validate(text, "bench").map((fault) => formatFault("bench.json", fault));
}

const sensor = (change: object) => ({ sensors: [{ ...BOARD.sensors[0], ...change }] });

describe("a board file", () => {
  it("that is right has no faults", () => {
    expect(judge({})).toEqual([]);
    expect(
      judge({ led: { pin: "D8" }, session: { rekeySeconds: 3600 }, console: "locked" }),
    ).toEqual([]);
  });

  it("is told where each fault is, all at once, with the name that was meant", () => {
    const text = `{
  "name": "bench", "chip": "esp32-c3", "netwrok": "wifi",
  "sensors": [
    { "driver": "sht3", "periodSeconds": 10, "qos": 1 },
    { "driver": "host", "periodSeconds": 0, "qos": 1 }
  ],
  "queue": { "readings": 32, "flahs": 10 }
}`;
    const faults = validate(text, "bench").map(({ line, column, pointer, nearest }) => {
      return [line, column, pointer, nearest];
    });
    expect(faults).toEqual([
      [1, 1, "", undefined],
      [2, 40, "/netwrok", "network"],
      [4, 17, "/sensors/0/driver", "sht3x"],
      [5, 17, "/sensors/1/driver", undefined],
      [5, 42, "/sensors/1/periodSeconds", undefined],
      [7, 30, "/queue/flahs", "flash"],
    ]);
  });

  it.each([
    ["no pin of the chip", { button: { pin: "D22" } }, "/button/pin, expected a pin that esp32-c3"],
    [
      "a pin of the flash",
      { led: { pin: "D14" } },
      "/led/pin, expected a pin that esp32-c3 has free",
    ],
    ["one pin twice", { led: { pin: "D9" } }, "pin of its own"],
    ["a sensor without its bus", { i2c: undefined }, '"i2c" for sht3x'],
    [
      "an address twice",
      { sensors: [BOARD.sensors[0], { ...BOARD.sensors[0], address: undefined }] },
      "address of its own",
    ],
    ["an address no sensor has", sensor({ address: 12 }), "one of 68, 69"],
    ["a period of no time", sensor({ periodSeconds: 0 }), "a number from 1 to 86400"],
    ["a queue of nothing", { queue: { readings: 0 } }, "a number from 1 to 64"],
    ["more flash than there is", { queue: { readings: 1, flash: 99_999 } }, "from 0 to 2500"],
    ["the wrong network", { network: "host" }, "wifi on esp32-c3"],
    ["another name than the file", { name: "other" }, "the name of the file"],
    ["a chip nobody knows", { chip: "esp32-c9" }, "one of esp32-c3, esp32-s3, linux"],
    ["the classic ESP32", { chip: "esp32" }, "runs out of memory"],
    [
      "a host's sensor on a chip",
      sensor({ driver: "host", address: undefined }),
      "a sensor of esp32-c3",
    ],
  ])("is refused with %s", (_, change, words) => {
    const faults = judge(change);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(words);
  });

  it.each([
    ["password", "hunter22"],
    ["ssid", "home"],
    ["wifi", { ssid: "home", password: "hunter22" }],
    ["claim", "00112233"],
    ["privateKey", "abc"],
    ["mqttUsername", "me"],
    ["console", "aaaaaaaaaaaaaaaa0123456789abcdef"],
    ["console", "mqtt://me:hunter22@broker.example"],
    ["console", "-----BEGIN PRIVATE KEY-----"],
  ])("with a secret (%s) is refused, and the secret not repeated", (name, value) => {
    const faults = judge({ [name]: value }).join("\n");
    expect(faults).toContain(`/${name}, expected what is secret`);
    expect(faults).not.toMatch(/hunter22|home"|0123456789abcdef|BEGIN/);
  });

  it.each([
    ["a comment", '{ // no\n "name": "bench" }'],
    ["a trailing comma", '{ "name": "bench", }'],
    ["nothing", ""],
    ["two values", "{} {}"],
    ["a byte order mark", "\ufeff{}"],
    ["a name twice", '{ "name": "bench", "name": "bench" }'],
    ["a deep nest", "[".repeat(30_000)],
    ["too much", " ".repeat(70_000)],
    ["a list", "[]"],
    ["null", "null"],
  ])("of %s is refused with a place", (_, text) => {
    const faults = validate(text, "bench");
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
  });
});
