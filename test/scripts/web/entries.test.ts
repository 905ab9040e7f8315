import { describe, expect, it } from "vitest";
import { FlashFailure } from "../../../scripts/flash/failure.ts";
import { type Entries, settingsOf } from "../../../scripts/web/entries.ts";
import type { Job } from "../../../scripts/web/job.ts";

const NOTHING: Entries = { ssid: "", password: "", deviceId: "", userId: "", claim: "" };
const CLAIM = "00112233445566778899aabbccddeeff";
const FILE = { brokers: [{ host: "b", port: 1883 }], wifi: [{ ssid: "home", password: "" }] };
const JOB: Job = {
  board: "fake",
  chip: "esp32-c3",
  flashMegabytes: 4,
  needsWifi: true,
  isLocked: false,
  baudRate: 460_800,
  settings: FILE,
};

function settings(entries: Partial<Entries>, job: Partial<Job> = {}): unknown {
  const bytes = settingsOf({ ...JOB, ...job }, { ...NOTHING, ...entries });
  return bytes && JSON.parse(new TextDecoder().decode(bytes));
}

function failure(entries: Partial<Entries>, job: Partial<Job> = {}): FlashFailure {
  try {
    settings(entries, job);
  } catch (error) {
    if (error instanceof FlashFailure) return error;
  }
  throw new Error("settings, expected to be refused, got taken");
}

describe("what is typed on the page", () => {
  it("takes the place of the same in the settings file", () => {
    expect(settings({})).toEqual(FILE);
    expect(settings({ ssid: "caf\u00e9", password: "hush-hush" })).toEqual({
      ...FILE,
      wifi: [{ ssid: "caf\u00e9", password: "hush-hush" }],
    });
    const names = { deviceId: "boiler", userId: "ann" };
    const old = { ...FILE, deviceId: "shed", userId: "bob", claim: CLAIM };
    expect(settings({ ...names, claim: CLAIM })).toEqual({ ...FILE, ...names, claim: CLAIM });
    // Another device's claim does not go with it.
    expect(settings(names, { settings: old })).toEqual({ ...FILE, ...names });
  });

  it("makes a file without Wi-Fi whole", () => {
    const { brokers } = FILE;
    expect(failure({}, { settings: { brokers } }).reason).toBe("the settings file has no wifi");
    expect(settings({}, { settings: { brokers }, needsWifi: false })).toEqual({ brokers });
    expect(settings({ ssid: "open" }, { settings: { brokers } })).toEqual({
      brokers,
      wifi: [{ ssid: "open", password: "" }],
    });
  });

  it("without a settings file leaves those on the board, or is refused", () => {
    expect(settings({}, { settings: null })).toBeUndefined();
    expect(failure({ ssid: "home" }, { settings: null })).toMatchObject({
      step: "files",
      next: expect.stringContaining("--settings"),
    });
  });

  it.each([
    [{ password: "hush-hush" }, /without the name/],
    [{ ssid: "home", password: "short" }, /has 5 characters/],
    [{ ssid: "home", password: "x".repeat(64) }, /has 64 characters/],
    [{ deviceId: "boiler" }, /device id and a user id/],
    [{ claim: CLAIM }, /device id and a user id/],
    [{ deviceId: "boiler", userId: "ann", claim: "hush" }, /32 hexadecimal digits/],
  ])("is refused as %j, and no secret is repeated", (entries, reason) => {
    const { message } = failure(entries);
    expect(message).toMatch(reason);
    expect(message).not.toMatch(/hush|short|xxx/);
  });
});
