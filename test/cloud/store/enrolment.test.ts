import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Enrolment } from "../../../cloud/store/enrolment.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  claimOf,
  deviceOf,
  draftOf,
  enrolmentOf,
  hashOf,
  makeCommand,
  NOW,
  openStoreBench,
  type StoreBench,
} from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const DEVICE = deviceOf("a");
const OTHER = deviceOf("b");
let bench: StoreBench;

beforeEach(() => {
  bench = openStoreBench(temporary());
});
afterEach(() => bench.close());

let counter = 1;
/** Commits an enrolment under a hash and device counter of its own. */
function enrol(device = DEVICE, change: Partial<Enrolment> = {}) {
  const enrolment = enrolmentOf(device, { counter: counter++, ...change });
  return bench.store.commitEnrolment(enrolment, hashOf(`enrol ${enrolment.counter}`));
}

/** What no refused enrolment may leave behind. */
function rows(): unknown {
  return bench.sql((database) =>
    ["device", "signed_message", "enrolment", "audit"].map((table) =>
      database.prepare(`SELECT * FROM ${table}`).all(),
    ),
  );
}

describe("an enrolment by claim", () => {
  beforeEach(() => bench.store.makeClaim(claimOf("c")));

  it("binds user, device id, key and certificate, and spends the claim, at once", async () => {
    const enrolment = enrolmentOf(DEVICE);
    expect(await bench.store.commitEnrolment(enrolment, hashOf("n"))).toBe("stored");
    expect(await bench.store.findDeviceById("boiler")).toEqual({
      ...{ ...DEVICE, state: "enrolled", deviceId: "boiler", userId: "ann" },
      ...{ certificate: enrolment.certificate, rolledAt: undefined },
    });
    expect(await bench.store.listClaims()).toEqual([
      { ...claimOf("c"), usedAt: NOW + 1, usedBy: DEVICE.kid },
    ]);
  });

  it("gives the same reply to the same message, and only to it", async () => {
    const enrolment = enrolmentOf(DEVICE);
    await bench.store.commitEnrolment(enrolment, hashOf("n"));
    const again = { ...enrolment, reply: "another" as Bytes };
    expect(await bench.store.commitEnrolment(again, hashOf("n"))).toBe("repeat");
    const stored = { to: DEVICE.kid, message: "reply" };
    expect(await bench.store.findEnrolled(DEVICE.kid, hashOf("n"))).toEqual(stored);
    expect(await bench.store.findEnrolled(DEVICE.kid, hashOf("m"))).toBeUndefined();
    expect(await bench.store.findEnrolled(OTHER.kid, hashOf("n"))).toBeUndefined();
    expect(await bench.store.commitEnrolment(enrolment, hashOf("m"))).toBe("conflict");
  });

  it("shares the device counter with its other signed messages", async () => {
    await enrol(DEVICE, { counter: 77 });
    const event = {
      device: DEVICE.kid,
      counter: 77,
      receivedAt: NOW,
      payload: "p" as Bytes,
      bootReport: undefined,
    };
    expect(await bench.store.commitEvent(event, hashOf("e"))).toBe("conflict");
  });

  it.each<[string, Partial<Enrolment>]>([
    ["claim-unknown", { claim: hashOf("guessed") }],
    ["claim-expired", { enrolledAt: NOW + 3600 }],
    ["user-id", { userId: "bob" }],
    ["device-unknown", { claim: undefined }],
  ])("is refused with %s, and changes nothing", async (refused, change) => {
    const before = rows();
    expect(await enrol(DEVICE, change)).toEqual({ refused });
    const enrolment = enrolmentOf(DEVICE, change);
    expect(await bench.store.judgeEnrolment(enrolment, enrolment.enrolledAt)).toBe(refused);
    expect(rows()).toEqual(before);
    expect(await enrol()).toBe("stored");
  });

  it("is refused to a second key, with the claim and with the device id", async () => {
    await enrol();
    expect(await enrol(OTHER, { deviceId: "shed" })).toEqual({ refused: "claim-used" });
    await bench.store.makeClaim(claimOf("d"));
    await bench.store.makeClaim(claimOf("e", { deviceId: "boiler" }));
    expect(await enrol(OTHER, { claim: hashOf("d") })).toEqual({ refused: "device-id" });
    expect(await enrol(OTHER, { claim: hashOf("e") })).toEqual({ refused: "device-id" });
    expect(await enrol(OTHER, { claim: hashOf("d"), deviceId: "shed" })).toBe("stored");
  });

  it("is refused with a device id that is not the claim's", async () => {
    await bench.store.makeClaim(claimOf("d", { deviceId: "shed" }));
    expect(await enrol(OTHER, { claim: hashOf("d") })).toEqual({ refused: "device-id" });
    expect(await enrol(OTHER, { claim: hashOf("d"), deviceId: "shed" })).toBe("stored");
  });

  it("is refused to another key of the same key id", async () => {
    await enrol();
    const publicKey = OTHER.publicKey;
    expect(await enrol(DEVICE, { publicKey })).toEqual({ refused: "kid" });
  });

  it("stores nothing when one part cannot be stored", async () => {
    const before = rows();
    await expect(enrol(DEVICE, { reply: undefined as unknown as Bytes })).rejects.toThrow();
    expect(rows()).toEqual(before);
    expect(await bench.store.listClaims()).toMatchObject([{ usedBy: undefined }]);
  });

  it("leaves a revoked device's id to a claim that names it, and its key to nobody", async () => {
    await enrol();
    await bench.store.revokeDevice(DEVICE.kid, NOW);
    await bench.store.makeClaim(claimOf("d"));
    await bench.store.makeClaim(claimOf("e", { deviceId: "boiler" }));
    expect(await enrol(DEVICE, { claim: hashOf("e") })).toEqual({ refused: "device-revoked" });
    expect(await enrol(OTHER, { claim: hashOf("d") })).toEqual({ refused: "device-id" });
    expect(await enrol(OTHER, { claim: hashOf("e") })).toBe("stored");
    expect(await bench.store.findDeviceById("boiler")).toMatchObject({ kid: OTHER.kid });
  });

  it("goes to one of two processes that race for the claim", async () => {
    const other = bench.open();
    const first = bench.store.commitEnrolment(enrolmentOf(DEVICE), hashOf("1"));
    const second = other.commitEnrolment(enrolmentOf(OTHER, { deviceId: "shed" }), hashOf("2"));
    expect(await Promise.all([first, second])).toEqual(["stored", { refused: "claim-used" }]);
    expect(await other.listClaims()).toMatchObject([{ usedBy: DEVICE.kid }]);
  });
});

describe("an enrolment of a registered key, without a claim", () => {
  const free = { claim: undefined };

  it("takes the owner that the operator gave, and no other", async () => {
    const owner = { deviceId: "boiler", userId: "ann" };
    await bench.store.registerDevice(DEVICE, NOW, owner);
    expect(await enrol(DEVICE, { ...free, userId: "bob" })).toEqual({ refused: "user-id" });
    expect(await enrol(DEVICE, { ...free, deviceId: "shed" })).toEqual({ refused: "device-id" });
    expect(await enrol(DEVICE, free)).toBe("stored");
  });

  it("takes the device's word where no owner was given, but no other device's id", async () => {
    await bench.store.registerDevice(OTHER, NOW, { deviceId: "boiler", userId: "ann" });
    await bench.store.registerDevice(DEVICE, NOW);
    expect(await enrol(DEVICE, free)).toEqual({ refused: "device-id" });
    expect(await enrol(DEVICE, { ...free, deviceId: "shed" })).toBe("stored");
  });

  it("changes its user only after a request for that user", async () => {
    await bench.store.registerDevice(DEVICE, NOW);
    await enrol(DEVICE, free);
    expect(await enrol(DEVICE, { ...free, userId: "bob" })).toEqual({ refused: "user-id" });
    await bench.store.issueCommand(
      draftOf(DEVICE, { action: "request", userId: "bob" }),
      makeCommand,
    );
    expect(await enrol(DEVICE, { ...free, userId: "eve" })).toEqual({ refused: "user-id" });
    expect(await enrol(DEVICE, { ...free, userId: "bob" })).toBe("stored");
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({ userId: "bob" });
  });
});

describe("owners of registered devices", () => {
  it("refuses a device id that another device bears", async () => {
    const owner = { deviceId: "boiler", userId: undefined };
    await bench.store.registerDevice(DEVICE, NOW, owner);
    await expect(bench.store.registerDevice(OTHER, NOW, owner)).rejects.toMatchObject({
      code: "argument",
    });
    await bench.store.registerDevice(DEVICE, NOW, { ...owner, userId: "ann" });
    expect(await bench.store.findDevice(DEVICE.kid)).toMatchObject({
      deviceId: "boiler",
      userId: "ann",
    });
    expect(await bench.store.findDevice(OTHER.kid)).toBeUndefined();
  });

  it("says what a revocation met", async () => {
    expect(await bench.store.revokeDevice(DEVICE.kid, NOW)).toBe("device-unknown");
    await bench.store.registerDevice(DEVICE, NOW);
    expect(await bench.store.revokeDevice(DEVICE.kid, NOW)).toBe("revoked");
    expect(await bench.store.revokeDevice(DEVICE.kid, NOW)).toBe("repeat");
  });

  it("makes a claim once", async () => {
    await bench.store.makeClaim(claimOf("c"));
    await expect(bench.store.makeClaim(claimOf("c"))).rejects.toThrow(/UNIQUE/);
  });
});
