import { describe, expect, it } from "vitest";
import { factoryReset } from "../../firmware/factory-reset.ts";
import { fail } from "../../protocol/errors.ts";
import { createServiceBench } from "../support/service-bench.ts";

/** What happened, in order; each erasure of keys fails as often as told. */
function reset(failures: number, areSettingsStuck = false) {
  const { events, lines, service } = createServiceBench();
  const { crypto, system } = service;
  let left = failures;
  factoryReset({
    ...service,
    crypto: {
      eraseAll() {
        crypto.eraseAll();
        if (left-- > 0) fail("store", "flash, expected it erased, got a failure");
      },
    },
    system: {
      ...system,
      storage: {
        ...system.storage,
        erase(name) {
          system.storage.erase(name);
          if (areSettingsStuck) throw new Error("stuck");
        },
      },
    },
  });
  return { events, lines };
}

describe("factory reset", () => {
  it("erases keys first, settings last, and restarts", () => {
    expect(reset(0).events).toEqual(["eraseAll", "erase coseflow.json", "reboot"]);
  });

  it("calls again for what a failure left, and says so", () => {
    const { events, lines } = reset(2);
    expect(events).toEqual(["eraseAll", "eraseAll", "eraseAll", "erase coseflow.json", "reboot"]);
    expect(lines.filter((line) => line.includes("attempt")).length).toBe(2);
  });

  it("erases the settings even where keys may be left", () => {
    expect(reset(99).events).toEqual([
      "eraseAll",
      "eraseAll",
      "eraseAll",
      "erase coseflow.json",
      "reboot",
    ]);
  });

  it("restarts whatever happens: no key's handle is good any more", () => {
    expect(reset(0, true).events).toEqual(["eraseAll", "erase coseflow.json", "reboot"]);
  });
});
