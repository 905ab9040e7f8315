import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RolledKey } from "../../../cloud/store/commands.ts";
import type { Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  deviceOf,
  draftOf,
  hashOf,
  makeCommand,
  NOW,
  openStoreBench,
  type StoreBench,
} from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";

const temporary = temporaryDirectories();
const OLD = deviceOf("a");
const NEW = deviceOf("b");
const OWNER = { deviceId: "boiler", userId: "ann" };
let bench: StoreBench;

beforeEach(async () => {
  bench = openStoreBench(temporary());
  await bench.store.registerDevice(OLD, NOW, OWNER);
});
afterEach(() => bench.close());

const KEY: RolledKey = {
  ...{ publicKey: NEW.publicKey, thumbprint: NEW.thumbprint },
  ...{ certificate: "certificate" as Bytes, enrolled: "enrolled" as Bytes },
};

async function introduce(store: Store) {
  const command = await store.issueCommand(draftOf(OLD), makeCommand);
  if (typeof command === "string") throw new Error(`command, expected one, got ${command}`);
  const reply = { device: OLD.kid, counter: 9, command: command.hash, content: "ok" as Bytes };
  return store.commitReply({ ...reply, at: NOW, deleted: false, roll: KEY }, hashOf("reply"));
}

function openSession(store: Store, device = NEW, counter = 1) {
  const session = { device: device.kid, counter, sealedKey: "k" as Bytes, committedAt: NOW + 5 };
  return store.commitSession({ ...session, baseIv: "iv_of_12byte" as Bytes }, hashOf(`${counter}`));
}

describe("a new key", () => {
  it("is kept with its answer and the reply, or not at all", async () => {
    expect(await introduce(bench.store)).toBe("stored");
    expect(await bench.store.findEnrolled(OLD.kid, hashOf("reply"))).toEqual({
      ...{ to: NEW.kid, message: "enrolled" },
    });
    expect(await bench.store.findDevice(NEW.kid)).toMatchObject({
      ...{ state: "rolling", certificate: "certificate", deviceId: undefined },
    });
  });

  it("takes over in the transaction of its session, which another's counter undoes", async () => {
    await introduce(bench.store);
    bench.sql((database) => database.exec("ALTER TABLE session RENAME TO elsewhere"));
    await expect(openSession(bench.store)).rejects.toThrow();
    bench.sql((database) => database.exec("ALTER TABLE elsewhere RENAME TO session"));
    expect(await bench.store.findDevice(OLD.kid)).toMatchObject({ state: "registered" });
    expect(await openSession(bench.store)).toBe("stored");
    expect(await bench.store.findDevice(OLD.kid)).toMatchObject({ state: "rolled" });
    expect(await bench.store.findDeviceById("boiler")).toMatchObject({ kid: NEW.kid });
  });

  it("leaves its device id to nobody else", async () => {
    await introduce(bench.store);
    await openSession(bench.store);
    const third = deviceOf("c");
    await expect(bench.store.registerDevice(third, NOW, OWNER)).rejects.toMatchObject({
      code: "argument",
    });
  });

  it("closes the old one for an older database that is put back, too", async () => {
    const backup = await bench.backUp();
    await introduce(bench.store);
    await openSession(bench.store);
    await bench.close();
    bench.restore(backup);
    const store = bench.open();
    expect(await store.findDevice(OLD.kid)).toMatchObject({ state: "rolled" });
    expect(await store.findDevice(NEW.kid)).toBeUndefined();
    await store.registerDevice(NEW, NOW, OWNER);
    expect(await store.findDeviceById("boiler")).toMatchObject({ kid: NEW.kid });
  });

  it("can be revoked, and so can the old one", async () => {
    await introduce(bench.store);
    await openSession(bench.store);
    expect(await bench.store.revokeDevice(OLD.kid, NOW)).toBe("revoked");
    expect(await bench.store.revokeDevice(NEW.kid, NOW)).toBe("revoked");
  });
});
