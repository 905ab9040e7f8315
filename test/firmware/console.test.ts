import { describe, expect, it } from "vitest";
import { RESET_CONSOLE, RESET_SAFE } from "../../firmware/boot-guard.ts";
import { exposeCommands, type Scope } from "../../firmware/console.ts";
import { CONNECTED, READY, RECEIPTED, STARTED, UNSAFE } from "../../firmware/life.ts";
import { createServiceBench } from "../support/service-bench.ts";

function createBench(isRunning = true) {
  const bench = createServiceBench();
  const scope: Scope = {};
  const way = isRunning ? [STARTED, READY, CONNECTED, RECEIPTED] : [UNSAFE];
  for (const event of way) bench.service.life.move(event);
  if (!isRunning) delete bench.service.device;
  exposeCommands(bench.service, scope);
  bench.clock.advance(90.7);
  return { scope, ...bench };
}

const ask = (bench: ReturnType<typeof createBench>, name: keyof Scope) =>
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
      time: 1_700_000_000,
      broker: "broker.example:1883",
      queue: 4,
      drops: 5,
      sessions: 2,
      reconnects: 6,
      refused: 9,
      malformed: 8,
      variables: 2100,
      heap: 120000,
      rssi: -61,
      boots: 2,
      reset: 3,
      errors: 10,
      lastError: "boo",
    });
  });

  it("knows no secret: not the broker's user, password, or what holds them", () => {
    const text = JSON.stringify(ask(createBench(), "status"));
    for (const secret of ["a-password", "username", "brokers"]) expect(text).not.toContain(secret);
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
    bench.cloud.isReceipted = false;
    expect(ask(bench, "rekey")).toMatch(/^refused/);
  });

  it("asks the sensors, restarts, and restarts into safe mode", () => {
    const bench = createBench();
    ask(bench, "sendNow");
    expect(bench.events).toEqual(["sample 1", "sample 2"]);
    ask(bench, "restart");
    expect(bench.guard().reason).toBe(RESET_CONSOLE);
    ask(bench, "safe");
    expect(bench.guard().reason).toBe(RESET_SAFE);
    expect(bench.events.slice(2)).toEqual(["reboot", "reboot"]);
  });
});
