import { describe, expect, it } from "vitest";
import { bootBoard, printed } from "./harness.ts";

describe("timers", () => {
  it("run in order of time, with their values", async () => {
    const bench = bootBoard(`setTimeout(print, 30, "end"); setTimeout(print, 10, "a", 1);
      setTimeout(print, 10, "b"); setTimeout(print, 1, "first"); setTimeout("print('text')", 20)`);
    await bench.line("end");
    expect(bench.lines).toEqual(["first", "a 1", "b", "text", "end"]);
  });

  it("are numbered, and clearing an unknown number is no error", () => {
    const bundle = `print(setTimeout(print, 1000), setInterval(print, 1000)); clearTimeout(77);
      clearInterval("x"); print("ok")`;
    expect(printed(bundle)).toEqual(["1 2", "ok"]);
  });

  it("throw when undefined is cleared", () => {
    for (const name of ["Timeout", "Interval"])
      expect(printed(`clear${name}(undefined)`)[0]).toBe(
        `Uncaught Error: clear${name}(undefined) not allowed. Use clear${name}() instead`,
      );
  });

  it("all end when nothing is named", async () => {
    const bench = bootBoard(`setTimeout(print, 5, "never"); setInterval(print, 5, "never");
      clearTimeout(); setTimeout(print, 40, "end")`);
    await bench.line("end");
    expect(bench.lines).toEqual(["end"]);
  });

  it("repeat until cleared by the other name", async () => {
    const bench = bootBoard(`var n = 0, id = setInterval(function () {
      print(++n); if (n === 3) { clearTimeout(id); setTimeout(print, 30, "end"); } }, 5)`);
    await bench.line("end");
    expect(bench.lines).toEqual(["1", "2", "3", "end"]);
  });

  it("change their period, if they run", async () => {
    const bench = bootBoard(`var id = setInterval(print, 1000000, "tick"); changeInterval(id, 5);
      try { changeInterval(99, 5); } catch (e) { print(e.message); }`);
    await bench.line("tick");
    expect(bench.lines[0]).toBe("Unknown Interval");
  });

  it("may be longer than the host's longest", async () => {
    const bench = bootBoard(`setTimeout(print, 3e9, "never"); setTimeout(print, 30, "end")`);
    await bench.line("end");
    expect(bench.lines).toEqual(["end"]);
  });

  it("refuse what is no function and what is too long", () => {
    expect(printed("setTimeout(5, 1)")[0]).toMatch(/^Uncaught Error/);
    expect(printed("setTimeout(print, 4e12)")[0]).toMatch(/^Uncaught Error/);
  });
});
