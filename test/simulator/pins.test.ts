import { describe, expect, it } from "vitest";
import { bootBoard, printed } from "./harness.ts";

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("pins", () => {
  it("are written and read by function, and tell their level outside", () => {
    const { board, lines } = bootBoard(`digitalWrite(D2, 1); print(digitalRead(D2), D2.read());
      digitalWrite(new Pin("D2"), false); print(digitalRead("D2"), getMode());
      function getMode() { return D2.getMode(); }`);
    expect(lines).toEqual(["1 true", "0 output"]);
    expect(board.pins.level("D2")).toBe(false);
  });

  it("read what is wired to them, or their own pull-up", () => {
    const code = `pinMode(D9, "input_pullup"); pinMode(D8, "input");
      print(digitalRead(D9), digitalRead(D8))`;
    expect(printed(code)).toEqual(["1 0"]);
    const wired = printed(code, {
      beforeBoot: ({ pins }) => {
        pins.drive("D9", false);
        pins.drive("D8", true);
      },
    });
    expect(wired).toEqual(["0 1"]);
  });

  it("refuse a pin that is none", () => {
    expect(printed("try { digitalRead(99) } catch (e) { print(e.message) }")).toEqual([
      "Invalid pin",
    ]);
  });
});

describe("setWatch", () => {
  it("calls back on its edge, again and again or once", () => {
    const { board, lines } = bootBoard(`
      setWatch(function (e) { print("both", e.state, e.time >= e.lastTime); }, D9, { repeat: true });
      setWatch(function (e) { print("falling", e.state); }, D9, { repeat: true, edge: "falling" });
      setWatch(function () { print("once"); }, D9);`);
    for (const level of [false, true, false]) board.pins.drive("D9", level);
    expect(lines).toEqual([
      "both false true",
      "falling false",
      "once",
      "both true true",
      "both false true",
      "falling false",
    ]);
  });

  it("pulls its pin up, as an ESP32 does, and calls nobody for a level that stays", () => {
    const { board, lines } = bootBoard(
      `setWatch(function () { print("moved"); }, D9, true); print(digitalRead(D9))`,
    );
    board.pins.drive("D9", true);
    expect(lines).toEqual(["1"]);
  });

  it("waits until a bouncing contact is still", async () => {
    const { board, line, lines } = bootBoard(`setWatch(function (e) { print("state", e.state); },
      D9, { repeat: true, debounce: 30 })`);
    for (const level of [false, true, false, true]) board.pins.drive("D9", level);
    await wait(60);
    expect(lines).toEqual([]);
    for (const level of [false, true, false]) board.pins.drive("D9", level);
    await line("state false");
    expect(lines.length).toBe(1);
  });

  it("ends with clearWatch", () => {
    const { board, lines } = bootBoard(`var id = setWatch(function () { print("a"); }, D9, true);
      setWatch(function () { print("b"); }, D8, true);
      clearWatch(id);
      try { clearWatch(id) } catch (e) { print(e.message) }`);
    board.pins.drive("D9", false);
    board.pins.drive("D8", false);
    expect(lines).toEqual(["Unknown Watch", "b"]);
  });

  it("refuses what is no function or no edge", () => {
    expect(
      printed(`[[1, D9], [print, D9, { edge: "up" }], [print, 99]].forEach(function (a) {
        try { setWatch(a[0], a[1], a[2]) } catch (e) { print("refused") } })`),
    ).toEqual(["refused", "refused", "refused"]);
  });
});
