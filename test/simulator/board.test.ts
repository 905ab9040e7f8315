import { describe, expect, it } from "vitest";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { bootBoard, printed } from "./harness.ts";

describe("uncaught errors", () => {
  it("are reported, and the board goes on", async () => {
    const bench = bootBoard(`
      setTimeout(function () { throw new TypeError("boo"); }, 1);
      setTimeout(function () { print("still here"); }, 5);
      nobody();`);
    await bench.line("still here");
    expect(bench.lines[0]).toBe("Uncaught ReferenceError: nobody is not defined");
    expect(bench.lines).toContain("Uncaught TypeError: boo");
  });

  it("of a bundle that does not parse are reported", () => {
    expect(printed("var = 5")[0]).toMatch(/^Uncaught SyntaxError/);
  });

  it("may be no error at all", () => {
    expect(printed("throw 'text'")).toEqual(["Uncaught text"]);
  });

  it("go to a listener of process, whose own errors are printed", async () => {
    const bundle = `process.on("uncaughtException", function (e) { print("got", e); throw "again"; });
      setTimeout(function () { throw "second" }, 1); throw new Error("first")`;
    const bench = bootBoard(bundle);
    await bench.line("got second");
    expect(bench.lines.slice(0, 3)).toEqual(["got Error: first", "Uncaught again", "got second"]);
  });

  it("include rejections without a handler", () => {
    expect(printed("Promise.reject(new Error('no'))")).toEqual([
      "Uncaught Error: Unhandled promise rejection: Error: no",
    ]);
  });
});

describe("power", () => {
  it("off stops everything at once, even the line that is running", async () => {
    const storage = new Map<string, string>();
    let cut: () => void = () => undefined;
    const bench = bootBoard(
      `setInterval(function () { print("tick"); }, 1);
       setTimeout(function () {
         require("Storage").write("before", "1");
         print("now");
         try { require("Storage").write("after", "1"); } catch (e) {}
         Promise.resolve().then(function () { require("Storage").write("later", "1"); });
         setTimeout(function () { print("never"); }, 1);
         print("never");
         throw new Error("never");
       }, 20);`,
      { storage, console: (line) => line === "now" && cut() },
    );
    cut = () => bench.board.powerOff();
    await bench.line("now");
    const count = bench.lines.length;
    // Long enough for every timer above, had it survived.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bench.lines.length).toBe(count);
    expect(bench.lines.at(-1)).toBe("now");
    expect([...storage.keys()]).toEqual(["before"]);
    expect(bench.board.running).toBe(false);
  });

  it("is on from boot, once", () => {
    const { board } = bootBoard("");
    expect(board.running).toBe(true);
    expect(() => board.boot()).toThrow();
  });

  it("goes when the watchdog is not kicked, and when the firmware asks", async () => {
    for (const [code, expected] of [
      ["E.enableWatchdog(0.02, false)", "watchdog"],
      ["setTimeout(function () { E.reboot(); print('never'); }, 1)", "reboot"],
    ] as const) {
      const cause = await new Promise((onReset) => bootBoard(code, { onReset }));
      expect(cause).toBe(expected);
    }
  });

  it("stays while the watchdog is kicked", async () => {
    const bench = bootBoard(`E.enableWatchdog(0.2, false); E.enableWatchdog(0.2);
      var kicks = 0; E.enableWatchdog(0.5, false);
      setInterval(function () { E.kickWatchdog(); if (++kicks === 20) print("alive"); }, 40)`);
    await bench.line("alive");
    expect(bench.board.running).toBe(true);
  });
});

describe("the crypto module", () => {
  const devcrypto = {
    hashCompute: (input: string) => `#${input}`,
    aeadDecryptKey: () => ({ prefix: "p", key: 257 }),
    nextDeviceCounter: () => fail("sequence", "counter, expected less, got more"),
  } as unknown as DeviceCrypto;

  it("is offered as it is, with objects and errors of the context", () => {
    const bundle = `var d = require("devcrypto"); print(d === require("devcrypto"), d.hashCompute("a"));
      var k = d.aeadDecryptKey(); print(k.prefix, k.key, k.constructor === Object);
      try { d.nextDeviceCounter(); } catch (e) { print(e.code, e instanceof Error); }`;
    expect(printed(bundle, { devcrypto })).toEqual(["true #a", "p 257 true", "sequence true"]);
  });

  it("is absent without one", () => {
    expect(printed(`try { require("devcrypto") } catch (e) { print(e.message) }`)).toEqual([
      'Module "devcrypto" not found',
    ]);
  });
});

describe("modules", () => {
  const offered = (options: Parameters<typeof printed>[1]) =>
    printed(`print(process.env.MODULES)`, options);

  it("are those of the board", () => {
    expect(offered({})).toEqual(["Storage,net,tls"]);
    expect(offered({ hostFiles: () => "" })).toEqual(["Storage,net,tls,fs"]);
    expect(offered({ wifi: [{ ssid: "a", password: "b" }] })).toEqual(["Storage,net,tls,Wifi"]);
  });

  it("read files of a Linux host, and throw for a missing one", () => {
    const bundle = `var fs = require("fs"); print(fs.readFileSync("/proc/loadavg"));
      try { fs.readFileSync("/none") } catch (e) { print(e.message) }`;
    const hostFiles = (path: string) => {
      if (path === "/none") throw new Error("ENOENT");
      return `text of ${path}`;
    };
    expect(printed(bundle, { hostFiles })).toEqual([
      "text of /proc/loadavg",
      "Could not open file : UNKNOWN",
    ]);
  });
});
