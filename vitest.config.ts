import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes minutes begins first: at the end it would run alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => moduleId.includes("/test/system/");
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests start brokers, simulators and the firmware's interpreter: real processes, not threads.
    pool: "forks",
    // More than the cores of a small machine: whole lives of devices mostly wait for their next reading.
    maxWorkers: 4,
    // A process takes file after file: no module keeps state, and to load all anew is a third of the work of small tests.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // For what hangs, on a busy machine too.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
