import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashOfClaim } from "../../../cloud/claims.ts";
import { createEnrolLimit } from "../../../cloud/registrar/enrol-limit.ts";
import { type Bytes, fromHex, toHex } from "../../../protocol/bytes.ts";
import { kidOf } from "../../../protocol/kid.ts";
import { topicOf } from "../../../protocol/topics.ts";
import { makeParty, nodeCrypto } from "../../support/parties.ts";
import { makeRegistrar } from "../support/registrar.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { openTestDevice, PREFIX, type TestDevice, wire } from "../support/test-device.ts";

const CLAIM = "77".repeat(16);
const temporary = temporaryDirectories();
let cloud: TestCloud;
let device: TestDevice;

beforeEach(async () => {
  const directory = temporary();
  cloud = openTestCloud(directory, (same) => same, [], await makeRegistrar(directory));
  device = openTestDevice();
  const madeAt = cloud.clock.now;
  const claim = { hash: hashOfClaim(CLAIM), userId: "ann", deviceId: undefined, madeAt };
  await cloud.store.makeClaim({ ...claim, expiresAt: madeAt + 3600 });
});
afterEach(async () => {
  device.close();
  await cloud.close();
});

/** Of the right form, under a thumbprint that nobody has, and not to be opened. */
function junk(): [topic: string, payload: Buffer] {
  const { message } = device.makeEnrol(cloud.self.publicKey, { counter: 1 });
  const thumbprint = nodeCrypto.generateRandom(32);
  const forged = message.replace(device.thumbprint, () => thumbprint) as Bytes;
  return [topicOf(PREFIX, kidOf(thumbprint), "enrol"), wire(forged)];
}

const reasonOf = (outcome: object) => ("reason" in outcome ? outcome.reason : "none");

describe("a flood of junk in the names of ever new keys", () => {
  it("is refused unopened beyond a bound, and a device that tries again is let in", async () => {
    const reasons = new Map<unknown, number>();
    async function flood(count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        const reason = reasonOf(await cloud.accept(...junk()));
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    const { message } = device.makeEnrol(cloud.self.publicKey, { claim: fromHex(CLAIM) });
    await flood(2100);
    expect(Object.fromEntries(reasons)).toEqual({ decrypt: 2000, limit: 100 });
    expect(await cloud.send(device, "enrol", message)).toMatchObject({ reason: "limit" });
    cloud.clock.now += 1;
    await flood(900);
    expect(await cloud.send(device, "enrol", message)).toMatchObject({ kind: "enrol" });
  }, 60_000);

  it("does not touch a registered key, nor another class", async () => {
    await cloud.register(device);
    for (let i = 0; i < 2001; i++) await cloud.accept(...junk());
    const enrol = device.makeEnrol(cloud.self.publicKey);
    expect(await cloud.send(device, "enrol", enrol.message)).toMatchObject({ kind: "enrol" });
    const { message } = device.openSession(cloud.self.publicKey);
    expect(await cloud.send(device, "session", message)).toMatchObject({ kind: "session" });
  }, 60_000);
});

describe("a flood in the name of one key", () => {
  it("spends the budget of that key, its good message included, and no other's", async () => {
    const { message } = device.makeEnrol(cloud.self.publicKey, { claim: fromHex(CLAIM) });
    const forged = (message.slice(0, -1) + (message.endsWith("a") ? "b" : "a")) as Bytes;
    for (let i = 0; i < 64; i++)
      expect(await cloud.send(device, "enrol", forged)).toMatchObject({ reason: "signature" });
    expect(await cloud.send(device, "enrol", message)).toMatchObject({ reason: "limit" });
    cloud.clock.now += 1;
    expect(await cloud.send(device, "enrol", message)).toMatchObject({ kind: "enrol" });
  });

  it("is one of repeats too: each would be answered", async () => {
    const { message } = device.makeEnrol(cloud.self.publicKey, { claim: fromHex(CLAIM) });
    for (let i = 0; i <= 64; i++)
      expect(await cloud.send(device, "enrol", message)).toMatchObject({ kind: "enrol" });
    expect(await cloud.send(device, "enrol", message)).toMatchObject({ reason: "limit" });
  });
});

it("counts strangers whose message opens for more: they cost more", () => {
  const limit = createEnrolLimit(() => 0);
  const thumbprints = Array.from({ length: 100 }, () => makeParty().thumbprint);
  for (const thumbprint of thumbprints) {
    expect(limit.allowsOpening(false), toHex(thumbprint)).toBe(true);
    limit.failed(thumbprint, false, true);
  }
  expect(limit.allowsOpening(false)).toBe(false);
  expect(limit.allowsOpening(true)).toBe(true);
});
