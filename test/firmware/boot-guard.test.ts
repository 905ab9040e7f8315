import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  openBootGuard,
  RESET_CONSOLE,
  RESET_MEMORY,
  RESET_PAUSE,
  RESET_SAFE,
  RESET_UNKNOWN,
  resetReason,
  SAFE_BOOTS,
} from "../../firmware/boot-guard.ts";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { RESET_POWERON, RESET_SW } from "../../simulator/devcrypto/sleep.ts";
import { openStandIn } from "../../simulator/devcrypto/stand-in.ts";

let directory: string;
let records: ReturnType<typeof openStandIn>;
let writes: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "coseflow-boot-"));
  records = openStandIn(join(directory, "keys"));
  writes = 0;
});
afterEach(() => {
  records.close();
  rmSync(directory, { recursive: true });
});

const quiet = () => undefined;
const counting = {
  readRecord: (id: string) => records.readRecord(id),
  writeRecord(id: string, content: Bytes) {
    writes++;
    records.writeRecord(id, content);
  },
};
type Store = Parameters<typeof openBootGuard>[0];

/** Counts a boot; each act opens the record anew, as the firmware does. */
function bootFrom(store: Store, isWake = false, log: (line: string) => void = quiet) {
  const open = () => openBootGuard(store, log);
  const { reason, pauseSeconds, count } = open();
  const boots = count(isWake);
  return {
    reason,
    pauseSeconds,
    boots,
    lasted: () => open().lasted(),
    safeLasted: (grow: boolean) => open().safeLasted(grow),
    restarting: (why: number) => open().restarting(boots, why),
  };
}
const boot = (isWake = false) => bootFrom(counting, isWake);

/** Short boots until the one in safe mode, which is returned. */
function loop() {
  let guard = boot();
  for (let count = guard.boots; count < SAFE_BOOTS; count++) guard = boot();
  expect(guard.boots).toBe(SAFE_BOOTS);
  return guard;
}

describe("boots in a row", () => {
  it("are counted before anything else, up to the fifth", () => {
    expect([boot(), boot(), boot(), boot(), boot()].map(({ boots }) => boots)).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(writes).toBe(5);
  });

  it("write nothing more once safe mode is reached", () => {
    loop();
    writes = 0;
    expect([boot(), boot()].map(({ boots }) => boots)).toEqual([5, 5]);
    expect(writes).toBe(0);
  });

  it("end with a boot that lasts: two writes, however often it is told", () => {
    boot();
    writes = 0;
    const guard = boot();
    guard.lasted();
    guard.lasted();
    expect(writes).toBe(2);
    expect(boot().boots).toBe(1);
  });

  it("do not count a wake from deep sleep, which ends the row", () => {
    boot();
    boot();
    const wake = boot(true);
    expect(wake.boots).toBe(0);
    writes = 0;
    boot(true);
    expect(writes).toBe(0);
    expect(boot().boots).toBe(1);
  });
});

describe("safe mode that has lasted", () => {
  it("leaves one try, and one failure leads back to a pause twice as long, up to a day", () => {
    const pauses: number[] = [];
    for (let round = 0; round < 10; round++) {
      const guard = loop();
      pauses.push(guard.pauseSeconds);
      guard.safeLasted(true);
      const attempt = boot();
      expect(attempt.boots).toBe(SAFE_BOOTS - 1);
    }
    expect(pauses).toEqual([600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, 86400, 86400]);
  });

  it("pauses for ten minutes again after a boot that lasted", () => {
    loop().safeLasted(true);
    boot().lasted();
    expect(loop().pauseSeconds).toBe(600);
  });

  it("does not grow when a person asked for it", () => {
    boot().restarting(RESET_SAFE);
    const guard = boot();
    guard.safeLasted(false);
    expect(loop().pauseSeconds).toBe(600);
  });
});

describe("a restart that is meant", () => {
  it("is no failure, tells its reason once, and keeps the pause", () => {
    const first = boot();
    expect(first.reason).toBe(RESET_UNKNOWN);
    first.restarting(RESET_CONSOLE);
    const second = boot();
    expect([second.boots, second.reason]).toEqual([1, RESET_CONSOLE]);
    expect(boot().reason).toBe(RESET_UNKNOWN);

    const safe = loop();
    safe.safeLasted(true);
    safe.restarting(RESET_PAUSE);
    const attempt = boot();
    expect([attempt.boots, attempt.reason]).toEqual([SAFE_BOOTS - 1, RESET_PAUSE]);
    expect(boot().pauseSeconds).toBe(1200);
  });

  it("for want of memory is a failure, also after a boot that lasted", () => {
    const counted: number[] = [];
    for (let row = 1; row < SAFE_BOOTS; row++) {
      const guard = boot();
      counted.push(guard.boots);
      if (row % 2 === 0) guard.lasted();
      guard.restarting(RESET_MEMORY);
    }
    expect(counted).toEqual([1, 2, 3, 4]);
    const last = boot();
    expect([last.boots, last.reason]).toEqual([SAFE_BOOTS, RESET_MEMORY]);
  });

  it("after a boot that lasted leaves nothing counted", () => {
    const guard = boot();
    guard.lasted();
    guard.restarting(RESET_CONSOLE);
    expect(boot().boots).toBe(1);
  });

  it("into safe mode leads there at once", () => {
    const guard = boot();
    guard.lasted();
    guard.restarting(RESET_SAFE);
    const safe = boot();
    expect([safe.boots, safe.reason]).toEqual([SAFE_BOOTS, RESET_SAFE]);
  });
});

describe("a record that makes no sense", () => {
  it.each([
    ["empty", ""],
    ["too short", "\x01\x04\x00"],
    ["too long", "\x01\x04\x00\x00\x00"],
    ["another version", "\x02\x04\x00\x00"],
    ["too many boots", "\x01\x06\x00\x00"],
    ["too many doublings", "\x01\x04\x09\x00"],
    ["an unknown reason", "\x01\x04\x00\x07"],
  ])("counts as none: %s", (_name, record) => {
    const guard = bootFrom({ readRecord: () => bytes(record), writeRecord: quiet });
    expect([guard.boots, guard.reason, guard.pauseSeconds]).toEqual([1, RESET_UNKNOWN, 600]);
  });
});

describe("a store that fails", () => {
  it("stops nothing and is logged", () => {
    const log: string[] = [];
    const broken = () => fail("store", "record, expected it, got damage");
    const store = { readRecord: broken, writeRecord: broken };
    const guard = bootFrom(store, false, (line) => log.push(line));
    guard.lasted();
    guard.restarting(RESET_CONSOLE);
    expect(guard.boots).toBe(1);
    // What may have been written is not known: what is the same as nothing is not tried.
    expect(log.map((line) => line.split(":")[0])).toEqual([
      "boot record not read",
      "boot record not written",
      "boot record not read",
      "boot record not read",
      "boot record not written",
    ]);
  });
});

describe("the reason of a boot", () => {
  const chip = (number: number) => ({ resetReason: () => number });

  it("is what was noted, whatever the chip tells", () => {
    expect(resetReason(chip(RESET_SW), RESET_CONSOLE)).toBe(RESET_CONSOLE);
    expect(resetReason(chip(RESET_POWERON), RESET_SAFE)).toBe(RESET_SAFE);
  });

  it("is else the chip's, ten higher, and nothing where it tells none", () => {
    expect([1, 4, 6, 9].map((each) => resetReason(chip(each), RESET_UNKNOWN))).toEqual([
      11, 14, 16, 19,
    ]);
    expect(resetReason(chip(0), RESET_UNKNOWN)).toBe(RESET_UNKNOWN);
  });

  it("is unknown where the module does not open", () => {
    records.close();
    expect(resetReason(records, RESET_UNKNOWN)).toBe(RESET_UNKNOWN);
    expect(resetReason(records, RESET_PAUSE)).toBe(RESET_PAUSE);
  });
});
