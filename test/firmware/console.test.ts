import { describe, expect, it } from "vitest";
import { exposeCommands, type Scope } from "../../firmware/console.ts";
import { createErrorRecord } from "../../firmware/error-record.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { createServiceBench } from "../support/service-bench.ts";

function createBench(isRunning = true) {
  const bench = createServiceBench();
  const scope: Scope = {};
  bench.service.state = "safe";
  if (!isRunning) bench.service.device = undefined;
  exposeCommands(bench.service, scope);
  bench.clock.advance(90.7);
  return { scope, ...bench };
}

const ask = (bench: ReturnType<typeof createBench>, name: string) =>
  (bench.scope[name] as () => unknown)();

describe("the console", () => {
  it("has these commands and no others", () => {
    expect(Object.keys(createBench().scope).sort()).toEqual(
      ["rekey", "restart", "safe", "sendNow", "status"].sort(),
    );
  });

  it("answers status() with names and numbers", () => {
    expect(ask(createBench(), "status")).toEqual({
      state: "streaming",
      uptime: 90,
      kid: "0011223344556677",
      broker: "broker.example:1883",
      queue: 4,
      drops: 5,
      sessions: 2,
      reconnects: 6,
      refused: 7,
      malformed: 8,
      variables: 2100,
      heap: 120000,
      rssi: -61,
      boots: 2,
      reset: 3,
      errors: 9,
      lastError: "boo",
    });
  });

  it("tells in safe mode what there is, and starts nothing", () => {
    const bench = createBench(false);
    expect(ask(bench, "status")).toMatchObject({ state: "safe", boots: 2 });
    expect(ask(bench, "rekey")).toMatch(/^not running/);
    expect(ask(bench, "sendNow")).toMatch(/^not running/);
    expect(bench.events).toEqual([]);
  });

  it("opens a session, or says why not", () => {
    const bench = createBench();
    expect(ask(bench, "rekey")).toBe("new session opened");
    bench.device.rekey = () => false;
    expect(ask(bench, "rekey")).toMatch(/^refused/);
  });

  it("asks the sensors, restarts, and restarts into safe mode", () => {
    const bench = createBench();
    ask(bench, "sendNow");
    ask(bench, "restart");
    ask(bench, "safe");
    expect(bench.events).toEqual(["sendNow", "restarting 2", "reboot", "restarting 4", "reboot"]);
  });
});

describe("the error record", () => {
  it("keeps the last one, counts them all, and logs each", () => {
    const clock = createManualClock();
    const log: string[] = [];
    const { record, report } = createErrorRecord(clock, (line) => log.push(line));
    report("sensor a", new Error("gone"));
    clock.advance(5);
    report("Uncaught", "text");
    expect(log).toEqual(["sensor a: gone", "Uncaught: text"]);
    expect(record).toEqual({ count: 2, last: "Uncaught: text (at 5 s)" });
  });
});
