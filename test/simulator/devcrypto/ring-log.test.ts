/** The stand-in's ring when its flash fails: what it then holds, and what it tells as lost. */
import { expect, it } from "vitest";
import { blankFlash, FLASH_SIZE, openLog } from "../../../simulator/devcrypto/ring-log.ts";

const ENTRY_SIZE = 500;
/** More than the flash holds, so that sectors are taken again. */
const ENTRIES = Math.ceil(FLASH_SIZE / ENTRY_SIZE) + 20;

const entryOf = (number: number) => {
  const entry = Buffer.alloc(ENTRY_SIZE);
  entry.writeUInt32BE(number);
  return entry;
};

/** Appends all entries, again where it fails; every write from `failAt` on for `times` fails. */
function run(failAt: number, times: number) {
  let writes = 0;
  const log = openLog(blankFlash(), () => {
    writes++;
    if (writes > failAt && writes <= failAt + times) throw new Error("flash");
  });
  let told = 0;
  for (let number = 0; number < ENTRIES; ) {
    try {
      told += log.append(entryOf(number));
      number++;
    } catch {
      expect(log.peek(log.count() - 1)?.readUInt32BE() ?? number - 1).toBe(number - 1);
    }
  }
  return { log, told, writes };
}

it("tells each lost entry once, also those of an eviction that failed", () => {
  const { writes } = run(Number.POSITIVE_INFINITY, 0);
  for (let failAt = 0; failAt < writes; failAt++) {
    for (const times of [1, 2, 5]) {
      const { log, told } = run(failAt, times);
      expect(log.count() + told).toBe(ENTRIES);
      expect(log.peek(0)?.readUInt32BE()).toBe(told);
      expect(log.peek(log.count() - 1)?.readUInt32BE()).toBe(ENTRIES - 1);
    }
  }
});
