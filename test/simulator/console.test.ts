import { describe, expect, it } from "vitest";
import { bootBoard, printed } from "./harness.ts";

describe("the console", () => {
  it("runs what is typed and prints its value", () => {
    const { board, lines } = bootBoard("var n = 1; function status() { return { n: n }; }");
    for (const text of ["n + 1", "status()", "n = 5", "status()", "none()"]) board.type(text);
    expect(lines.slice(0, 4)).toEqual(["=2", '={"n":1}', "=5", '={"n":5}']);
    expect(lines[4]).toBe("Uncaught ReferenceError: none is not defined");
  });

  it("is deaf and mute once it is taken away, and back when it is given back", async () => {
    const { board, line, lines } = bootBoard(`var typed = 0; print("before");
      E.setConsole(null, { force: true }); print("hidden", E.getConsole());
      setTimeout(function () { E.setConsole("Serial1"); print("back", typed); }, 5)`);
    board.type("typed++");
    await line("back 0");
    expect(lines).toEqual(["before", "back 0"]);
  });

  it("refuses a device that is none", () => {
    expect(printed(`try { E.setConsole("Bluetooth") } catch (e) { print(e.message) }`)).toEqual([
      'Unknown device type "Bluetooth"',
    ]);
  });
});

describe("ESP32", () => {
  const wifi = [{ ssid: "a", password: "b" }];

  it("is there on a board with Wi-Fi, and tells its wake-up", () => {
    const code = "print(typeof ESP32, ESP32.getWakeupCause(), ESP32.getState().freeHeap > 0)";
    expect(printed(code, { wifi })).toEqual(["object 0 true"]);
    expect(printed(code, { wifi, wakeupCause: 4 })).toEqual(["object 4 true"]);
    expect(printed("print(typeof ESP32)")).toEqual(["undefined"]);
  });

  it("restarts the board", () => {
    const causes: string[] = [];
    bootBoard("ESP32.reboot(); print('never')", { wifi, onReset: (cause) => causes.push(cause) });
    expect(causes).toEqual(["reboot"]);
  });
});
