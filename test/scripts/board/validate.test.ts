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

const ROM = "28ff641e02160380";

/** Those and no others. */
const only = (...sensors: object[]) => ({
  sensors: sensors.map((each) => ({ periodSeconds: 10, qos: 1, ...each })),
});

/** The board's sensor, and one more like it. */
const twoOf = (change: object, name?: string) => ({
  sensors: [
    { ...BOARD.sensors[0], name },
    { ...BOARD.sensors[0], ...change },
  ],
});

const sensor = (change: object) => ({ sensors: [{ ...BOARD.sensors[0], ...change }] });

const alarm = (humidity: object) => sensor({ alarm: { humidity } });

describe("a board file", () => {
  it("that is right has no faults", () => {
    expect(judge({})).toEqual([]);
    expect(
      judge({ led: { pin: "D8" }, session: { rekeySeconds: 3600 }, console: "locked" }),
    ).toEqual([]);
  });

  it("may have several sensors of a kind, each by its own name", () => {
    const wire = (rom: string, name: string) => ({ driver: "ds18b20", pin: "D4", rom, name });
    expect(judge(only(wire(ROM, "flow"), wire("280000000000001e", "return")))).toEqual([]);
    expect(judge(twoOf({ address: 69, name: "outside" }))).toEqual([]);
    expect(judge({ provisioning: { request: "plain" } })).toEqual([]);
  });

  it("may have thresholds at one side or both", () => {
    expect(judge(alarm({ above: 60 }))).toEqual([]);
    expect(judge(alarm({ below: -0.5, hysteresis: 0 }))).toEqual([]);
    expect(judge(alarm({ above: 60, below: 40, hysteresis: 19.5 }))).toEqual([]);
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
      { sensors: [BOARD.sensors[0], { ...BOARD.sensors[0], address: undefined, name: "b" }] },
      "address of its own",
    ],
    [
      "one sensor's names twice",
      twoOf({ address: 69 }),
      '/sensors/1, expected a "name" of its own',
    ],
    ["a name twice", twoOf({ driver: "bme280", address: 118, name: "a" }, "a"), "/sensors/1/name"],
    ["a sensor without its pin", only({ driver: "ds18b20" }), '/sensors/0, expected "pin"'],
    [
      "two sensors on a wire and no code",
      only({ driver: "ds18b20", pin: "D4" }, { driver: "ds18b20", pin: "D4", name: "b" }),
      "pin of its own (sensors.0.pin has it)",
    ],
    [
      "one code twice",
      only(
        { driver: "ds18b20", pin: "D4", rom: ROM },
        { driver: "ds18b20", pin: "D4", rom: ROM, name: "b" },
      ),
      "pin of its own",
    ],
    [
      "a code with a slip",
      only({ driver: "ds18b20", pin: "D4", rom: ROM.replace("1e", "1f") }),
      "/sensors/0/rom, expected digits that fit their check sum",
    ],
    [
      "a voltage where none is read",
      only({ driver: "analogue", pin: "D7" }),
      "/sensors/0/pin, expected a pin with a converter: D0 to D4, got D7",
    ],
    [
      "a range upside down",
      sensor({ range: { humidity: { min: 2, max: 1 } } }),
      "range/humidity/min",
    ],
    ["a range of nothing", sensor({ range: {} }), "one of temperature, humidity"],
    ["an unknown quantity", sensor({ deadband: { pressure: 1 } }), "/sensors/0/deadband/pressure"],
    ["an alarm at nothing", alarm({ hysteresis: 1 }), '"above", "below" or both, got neither'],
    [
      "an alarm upside down",
      alarm({ above: 5, below: 5 }),
      "alarm/humidity/below, expected less than",
    ],
    ["less than no hysteresis", alarm({ above: 5, hysteresis: -1 }), "humidity/hysteresis"],
    [
      "an alarm that cannot end",
      alarm({ above: 5, below: 3, hysteresis: 2 }),
      "less than the 2 between",
    ],
    ["an alarm that is no number", alarm({ above: "5" }), "alarm/humidity/above"],
    ["an alarm of no quantity", sensor({ alarm: {} }), "one of temperature, humidity"],
    ["an alarm of another's", sensor({ alarm: { pressure: { above: 1 } } }), "alarm/pressure"],
    ["a heartbeat and no dead band", sensor({ heartbeatSeconds: 60 }), '"deadband" beside it'],
    [
      "more samples than there is time for",
      only({ driver: "ds18b20", pin: "D4", periodSeconds: 2, average: 3 }),
      "at most 2 samples in the period",
    ],
    ["a unit that SenML has not", only({ driver: "analogue", pin: "D2", unit: "v" }), "mean V?"],
    ["a policy that is none", { provisioning: "standart" }, "did you mean standard?"],
    ["a form too open", { provisioning: { delete: "plain" } }, "/provisioning/delete"],
    ["an action nobody knows", { provisioning: { updates: "sealed" } }, "did you mean update?"],
    ["another kind of policy", { provisioning: 5 }, "high-security, standard, or an object"],
    [
      "a code that is no text",
      only({ driver: "ds18b20", pin: "D4", rom: { toString: 1 } }),
      "/sensors/0/rom, expected text",
    ],
    ["a chip that is no name", { chip: { toString: 1 } }, "/chip, expected one of esp32-c3"],
    ["a driver that is no name", sensor({ driver: { toString: 1 } }), "expected a driver"],
    ["a driver of all objects", only({ driver: "__proto__" }), "expected a driver"],
    ["an address no sensor has", sensor({ address: 12 }), "one of 68, 69"],
    ["a period of no time", sensor({ periodSeconds: 0 }), "a number from 1 to 86400"],
    ["a queue of nothing", { queue: { readings: 0 } }, "a number from 1 to 64"],
    ["more flash than there is", { queue: { readings: 1, flash: 99_999 } }, "from 0 to 2500"],
    ["too long a sleep", { sleep: { seconds: 2101 } }, "a number from 1 to 2100"],
    ["no sleep at all", { sleep: { seconds: 0 } }, "a number from 1 to 2100"],
    ["never awake", { sleep: { seconds: 60, awakeSeconds: 0 } }, "a number from 1 to 600"],
    ["sleep without flash", { sleep: { seconds: 60 }, queue: { readings: 4 } }, "queue.flash"],
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
    ["a property that all objects have", '{ "__proto__": { "name": "bench" }, "toString": 1 }'],
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
