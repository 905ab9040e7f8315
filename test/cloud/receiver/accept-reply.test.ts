import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandAction } from "../../../cloud/store/commands.ts";
import { readReplyContent } from "../../../cloud/store/reply-content.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  REASON_USER,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_REFUSED,
  STATUS_ROLLED,
  STATUS_STALE,
} from "../../../protocol/reply-message.ts";
import { hashOf } from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { openTestDevice, type TestDevice } from "../support/test-device.ts";

const temporary = temporaryDirectories();
let cloud: TestCloud;
let device: TestDevice;

beforeEach(async () => {
  cloud = openTestCloud(temporary());
  device = openTestDevice();
  await cloud.register(device);
});
afterEach(async () => {
  device.close();
  await cloud.close();
});

/** A command to the device, by the name of its hash. */
async function issue(action: CommandAction, name: string, to = device) {
  const issuedAt = cloud.clock.now;
  const command = await cloud.store.issueCommand(
    { device: to.kid, action, form: "sealed", userId: "ann", issuedAt, expiresAt: issuedAt + 60 },
    () => ({ message: "m" as Bytes, hash: hashOf(name) }),
  );
  if (typeof command === "string") throw new Error(command);
  return command;
}

function reply(name: string, status: number, detail: number | Bytes = 0, counter?: number) {
  const content = { command: hashOf(name), status, detail };
  return device.makeReply(cloud.self.publicKey, content, counter);
}

const send = (message: Bytes, from = device) => cloud.send(from, "reply", message);
const refusedAs = (reason: string) => expect.objectContaining({ kind: "refused", reason });

describe("a reply", () => {
  it.each([
    ["done", STATUS_DONE, 0],
    ["refused", STATUS_REFUSED, REASON_USER],
    ["stale", STATUS_STALE, 1_800_000_000_123],
  ])("%s is kept with its command, and receipted", async (_name, status, detail) => {
    const { counter } = await issue("update", "c");
    const { message, hash } = reply("c", status, detail);
    const outcome = await send(message);
    expect(outcome).toMatchObject({ kind: "reply", hash, repeat: false, isReceipted: true });
    const found = await cloud.store.findCommand(device.kid, counter);
    expect(found).toMatchObject({ state: "replied" });
    expect(readReplyContent(found?.reply?.content as Bytes)).toEqual({ status, detail });
  });

  it("that comes again changes nothing, and is receipted again", async () => {
    const { counter } = await issue("update", "c");
    const { message } = reply("c", STATUS_DONE);
    await send(message);
    const before = await cloud.store.findCommand(device.kid, counter);
    cloud.clock.now += 60;
    expect(await send(message)).toMatchObject({ repeat: true, isReceipted: true });
    expect(await cloud.store.findCommand(device.kid, counter)).toEqual(before);
  });

  it("goes to no other command than the one that it names", async () => {
    const first = await issue("update", "c");
    const second = await issue("update", "d");
    await send(reply("d", STATUS_DONE).message);
    const find = (counter: number) => cloud.store.findCommand(device.kid, counter);
    expect(await find(first.counter)).toMatchObject({ state: "issued", reply: undefined });
    expect(await find(second.counter)).toMatchObject({ state: "replied" });
  });

  it("to a command of nobody, or of another device, is receipted and goes nowhere", async () => {
    const other = openTestDevice();
    await cloud.register(other);
    const { counter } = await issue("update", "c", other);
    for (const name of ["c", "nobody's"]) {
      const { message } = reply(name, STATUS_DONE);
      const taken = { kind: "reply", isKnown: false, isReceipted: true };
      expect(await send(message)).toMatchObject({ ...taken, repeat: false });
      expect(await send(message)).toMatchObject({ isReceipted: true, repeat: true });
    }
    expect(await cloud.store.findCommand(other.kid, counter)).toMatchObject({ state: "issued" });
    other.close();
  });

  it("is refused under a counter that is spent, and with a signature that is not its own", async () => {
    await issue("update", "c");
    await issue("update", "d");
    await send(reply("c", STATUS_DONE, 0, 7).message);
    const { message } = reply("d", STATUS_DONE, 0, 7);
    expect(await send(message)).toEqual(refusedAs("counter-conflict"));
    const forged = reply("d", STATUS_DONE).message.slice(0, -2);
    expect(await send(`${forged}xx` as Bytes)).toEqual(refusedAs("signature"));
  });

  it("is refused where it says what its command cannot bring", async () => {
    await issue("update", "c");
    await issue("request", "r");
    const csr = device.crypto.writeCsr(device.crypto.openDeviceKey());
    const wrong = [reply("c", STATUS_DELETED), reply("r", STATUS_ROLLED, csr)];
    for (const { message } of wrong)
      expect(await send(message)).toEqual(refusedAs("command-other"));
    expect(await cloud.store.findDevice(device.kid)).toMatchObject({ state: "registered" });
  });

  it("without a registrar brings no new key", async () => {
    await issue("update", "c");
    const csr = device.crypto.writeCsr(device.crypto.openDeviceKey());
    expect(await send(reply("c", STATUS_ROLLED, csr).message)).toEqual(refusedAs("no-registrar"));
  });
});

describe("a delete", () => {
  it("takes no reply but its own from its issue on", async () => {
    await issue("update", "c");
    await issue("delete", "x");
    expect(await send(reply("c", STATUS_DONE).message)).toEqual(refusedAs("device-deleted"));
    const { message } = reply("x", STATUS_DELETED);
    expect(await send(message)).toMatchObject({ status: STATUS_DELETED, isReceipted: false });
    expect(await cloud.store.findDevice(device.kid)).toMatchObject({ state: "deleted" });
    expect(await send(message)).toMatchObject({ repeat: true, isReceipted: false });
    expect(await send(reply("c", STATUS_DONE).message)).toEqual(refusedAs("device-deleted"));
  });

  it("that the device refuses keeps it closed, and its reply is receipted", async () => {
    await issue("delete", "x");
    const { message } = reply("x", STATUS_REFUSED, REASON_USER);
    expect(await send(message)).toMatchObject({ kind: "reply", isReceipted: true });
    expect(await cloud.store.findDevice(device.kid)).toMatchObject({ state: "deleting" });
  });
});
