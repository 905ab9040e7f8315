import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRefused } from "../../../cloud/receiver/refusal.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { celsius, openTestDevice, type TestDevice } from "../support/test-device.ts";

const temporary = temporaryDirectories();
let cloud: TestCloud;
let device: TestDevice;

beforeEach(async () => {
  cloud = openTestCloud(temporary());
  device = openTestDevice();
  await cloud.register(device, "shed");
});

afterEach(async () => {
  device.close();
  await cloud.close();
});

/** A stored session of the device. */
async function openStored(of = device) {
  const session = of.openSession(cloud.self.publicKey);
  expect(await cloud.send(of, "session", session.message)).toMatchObject({ repeat: false });
  return session;
}

describe("our own failures", () => {
  it("reject instead of refusing, so that nothing is acknowledged", async () => {
    const session = await openStored();
    const reading = device.seal(session, celsius(1));
    const database = new Database(cloud.path);
    database.exec("ALTER TABLE record RENAME TO elsewhere");
    await expect(cloud.send(device, "reading", reading)).rejects.toThrow();
    database.exec("ALTER TABLE elsewhere RENAME TO record");
    database.close();
    expect(await cloud.send(device, "reading", reading)).toMatchObject({ repeat: false });
    expect((await cloud.store.counts()).refused).toEqual({});
  });
});

describe("a damaged row", () => {
  it("refuses its own readings and holds up no others", async () => {
    const other = openTestDevice();
    await cloud.register(other);
    const otherSession = await openStored(other);
    const session = await openStored();
    const database = new Database(cloud.path);
    const spoil = database.prepare("UPDATE session SET sealed_key = zeroblob(44) WHERE device = ?");
    spoil.run(Buffer.from(device.kid, "latin1"));
    database.close();
    cloud.context.sessionKeys.close();
    expect(await cloud.send(device, "reading", device.seal(session, celsius(1)))).toMatchObject({
      reason: "session-damaged",
    });
    expect(await cloud.send(other, "reading", other.seal(otherSession, celsius(2)))).toMatchObject({
      repeat: false,
    });
    other.close();
  });

  it("is also one with a sealed key copied from another device's row", async () => {
    const other = openTestDevice();
    await cloud.register(other);
    await openStored(other);
    const session = await openStored();
    const row = await cloud.store.findSession(other.kid, 1);
    const database = new Database(cloud.path);
    database
      .prepare("UPDATE session SET sealed_key = ?")
      .run(Buffer.from(row?.sealedKey as string, "latin1"));
    database.close();
    cloud.context.sessionKeys.close();
    expect(await cloud.send(device, "reading", device.seal(session, celsius(1)))).toMatchObject({
      reason: "session-damaged",
    });
    other.close();
  });
});

it("keeps no key open after it is closed", async () => {
  const session = await openStored();
  await cloud.send(device, "reading", device.seal(session, celsius(1)));
  const open = await cloud.context.sessionKeys.find(
    { kid: device.kid, publicKey: device.point, thumbprint: device.thumbprint, name: undefined },
    1,
  );
  if (isRefused(open)) throw new Error("session, expected it open, got refused");
  cloud.context.sessionKeys.close();
  expect(() => nodeCrypto.destroyKey(open.key)).toThrow();
});
