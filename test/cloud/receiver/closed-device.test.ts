import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAudit } from "../../../cloud/audit/log.ts";
import type { AcceptedReading } from "../../../cloud/receiver/accept-reading.ts";
import { createReceipts } from "../../../cloud/receiver/receipts.ts";
import type { CommandDraft } from "../../../cloud/store/commands.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { DeviceSession } from "../../../protocol/session-message.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { celsius, openTestDevice, type TestDevice } from "../support/test-device.ts";

const temporary = temporaryDirectories();
let cloud: TestCloud;
let device: TestDevice;
let session: DeviceSession;

beforeEach(async () => {
  cloud = openTestCloud(temporary());
  device = openTestDevice();
  await cloud.register(device);
  session = device.openSession(cloud.self.publicKey);
  await cloud.send(device, "session", session.message);
});
afterEach(async () => {
  device.close();
  await cloud.close();
});

/** Everything that the device may send, fresh and good. */
async function sendAll(): Promise<unknown[]> {
  const { message } = device.makeEvent(cloud.self.publicKey);
  const next = device.openSession(cloud.self.publicKey);
  return [
    await cloud.send(device, "event", message),
    await cloud.send(device, "session", next.message),
    await cloud.send(device, "session", session.message),
    await cloud.send(device, "reading", device.seal(session, celsius(1))),
  ];
}

const refused = (reason: string) =>
  Array(4).fill(expect.objectContaining({ kind: "refused", reason }));

describe("a device that is closed", () => {
  it("by revocation is refused whatever it sends, its open session and repeats included", async () => {
    await cloud.store.revokeDevice(device.kid, cloud.clock.now);
    expect(await sendAll()).toEqual(refused("device-revoked"));
    expect(await cloud.store.counts()).toMatchObject({ readings: 0, events: 0, sessions: 1 });
  });

  it("by a delete command is refused from its issue on", async () => {
    const draft: CommandDraft = {
      ...{ device: device.kid, action: "delete", form: "sealed", userId: "ann" },
      ...{ issuedAt: cloud.clock.now, expiresAt: cloud.clock.now + 60 },
    };
    const hash = "h".repeat(32) as Bytes;
    await cloud.store.issueCommand(draft, () => ({ message: "m" as Bytes, hash }));
    expect(await sendAll()).toEqual(refused("device-deleted"));
    const reply = { device: device.kid, counter: 9, command: hash, content: "" as Bytes };
    await cloud.store.commitReply({ ...reply, at: 0, deleted: true }, "r".repeat(32) as Bytes);
    expect(await sendAll()).toEqual(refused("device-deleted"));
  });
});

describe("readings in the audit log", () => {
  it("are the ranges of each receipt, without what was stored before", async () => {
    const receipts = createReceipts({
      context: cloud.context,
      publish: () => true,
      ready: () => true,
      failed: (_device, error) => expect.unreachable(String(error)),
      delayMs: 60_000,
    });
    const messages = [1, 2, 3].map((value) => device.seal(session, celsius(value)));
    const accept = async (message: Bytes) =>
      receipts.reading((await cloud.send(device, "reading", message)) as AcceptedReading, 1);
    for (const message of messages) await accept(message);
    await receipts.flush();
    await accept(messages[0] as Bytes);
    await receipts.flush();
    expect(receipts.sent()).toBe(2);
    receipts.close();
    const database = new Database(cloud.path, { readonly: true });
    const rows = [...readAudit(database)].filter(({ class: name }) => name === "reading");
    database.close();
    expect(rows.map(({ details }) => details)).toEqual(['{"ranges":[[1,1,3]]}']);
  });
});
