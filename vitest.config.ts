import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests start brokers, simulators and the firmware's interpreter: real processes, not threads.
    pool: "forks",
    // More than the cores of a small machine: whole lives of devices mostly wait for their next reading.
    maxWorkers: 4,
    // A process takes file after file: no module keeps state, and to load all anew is a third of the work of small tests.
    isolate: false,
    // For what hangs, on a busy machine too.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
