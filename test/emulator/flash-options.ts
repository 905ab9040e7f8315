import { createHash } from "node:crypto";
import type { FlashOptions } from "../../scripts/flash/flash-board.ts";
import { keyIdOf } from "../support/esp-rom/fake-board.ts";

/** As `coseflow flash` gives them, for a test that reads nothing of the progress. */
export function flashOptions(more: Partial<FlashOptions> = {}): FlashOptions {
  return {
    baudRate: 115_200,
    eraseAll: false,
    keyIdOf,
    md5: (bytes) => createHash("md5").update(bytes).digest("hex"),
    report: () => {},
    progress: () => {},
    ...more,
  };
}
