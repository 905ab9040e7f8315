/** The interpreter has a stack as short as a board's here: what is too deep for one fails. */

import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/built.ts";
import { describeEspruino, runScript } from "./espruino.ts";

const script = (depth: number) => `
  function count(left) { return left ? count(left - 1) + 1 : 0; }
  print("counted " + count(${depth}));`;

describeEspruino("the stack in Espruino", () => {
  it("has room for calls 15 deep, and refuses 40", { timeout: 60_000 }, async () => {
    const [directory, remove] = await temporaryDirectory("emulator-stack");
    try {
      const [shallow] = await runScript(directory, script(15), /^counted .*|too much recursion.*/i);
      expect(shallow).toBe("counted 15");
      const [deep] = await runScript(directory, script(40), /^counted .*|too much recursion.*/i);
      expect(deep).toMatch(/too much recursion/i);
    } finally {
      await remove();
    }
  });
});
