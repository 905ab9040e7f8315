/**
 * What somebody between device and cloud, or with a copy of a device, can try with signed messages
 * upward: each is refused, or changes nothing, and only a clone raises the alarm.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createReceiver } from "../../../cloud/receiver/receiver.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { REASON_USER, STATUS_DONE, STATUS_REFUSED } from "../../../protocol/reply-message.ts";
import type { MessageClass } from "../../../protocol/topics.ts";
import { withTwinSignature } from "../../support/ecdsa.ts";
import { hashOf } from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { openTestDevice, type TestDevice, wire } from "../support/test-device.ts";

const YEAR = 365 * 24 * 3600;
const temporary = temporaryDirectories();
const devices: TestDevice[] = [];
let cloud: TestCloud;
let device: TestDevice;
let other: TestDevice;
/** What an operator sees of `serve`. */
let lines: Record<string, unknown>[];

beforeEach(async () => {
  cloud = openTestCloud(temporary());
  lines = [];
  for (const _ of [1, 2]) {
    const made = openTestDevice();
    devices.push(made);
    await cloud.register(made);
  }
  [device, other] = devices as [TestDevice, TestDevice];
});
afterEach(async () => {
  for (const each of devices.splice(0)) each.close();
  await cloud.close();
});

/** A command to a device, named by the hash of a word. */
async function issue(to: TestDevice, word: string) {
  const issuedAt = cloud.clock.now;
  const draft = { device: to.kid, action: "update", form: "sealed", userId: "ann" } as const;
  const times = { issuedAt, expiresAt: issuedAt + 60 };
  const command = await cloud.store.issueCommand({ ...draft, ...times }, () => {
    return { message: "m" as Bytes, hash: hashOf(word) };
  });
  if (typeof command === "string") throw new Error(command);
  return command;
}

const replyOf = (of: TestDevice, word: string, status = STATUS_DONE, counter?: number) => {
  const detail = status === STATUS_REFUSED ? REASON_USER : 0;
  return of.makeReply(cloud.self.publicKey, { command: hashOf(word), status, detail }, counter);
};

/** As `serve` takes it, its line included. */
async function serve(topic: string, message: Bytes): Promise<Record<string, unknown>> {
  const receiver = createReceiver({
    context: cloud.context,
    receipts: { message() {}, reading() {} } as never,
    publish: () => true,
    log: (line) => lines.push(line),
  });
  const payload = wire(message);
  const done = await receiver.receive({ topic, payload, qos: 2 } as never);
  done();
  return lines.at(-1) as Record<string, unknown>;
}

const messageOf: Record<string, (counter?: number) => Bytes> = {
  session: () => device.openSession(cloud.self.publicKey).message,
  event: (counter) => device.makeEvent(cloud.self.publicKey, undefined, counter).message,
  reply: (counter) => replyOf(device, "c", STATUS_DONE, counter).message,
};

describe("a broker that swaps the replies of two operators' commands", () => {
  it("between two devices gets both refused, and neither command has a reply", async () => {
    const commands = [await issue(device, "first"), await issue(other, "second")];
    const [mine, theirs] = [replyOf(device, "first"), replyOf(other, "second")];
    expect(await cloud.send(device, "reply", theirs.message)).toMatchObject({ reason: "kid" });
    expect(await cloud.send(other, "reply", mine.message)).toMatchObject({ reason: "kid" });
    for (const { device: kid, counter } of commands)
      expect(await cloud.store.findCommand(kid, counter)).toMatchObject({ reply: undefined });
    await cloud.send(device, "reply", mine.message);
    expect(await cloud.store.findCommand(device.kid, commands[0]?.counter ?? 0)).toMatchObject({
      state: "replied",
    });
  });

  it("to one device changes nothing: each goes to the command whose hash it signs", async () => {
    const first = await issue(device, "first");
    const second = await issue(device, "second");
    const refused = replyOf(device, "first", STATUS_REFUSED);
    const done = replyOf(device, "second");
    for (const { message } of [done, refused, done, refused])
      await cloud.send(device, "reply", message);
    const replies = [first, second].map(({ counter }) =>
      cloud.store.findCommand(device.kid, counter),
    );
    const counters = (await Promise.all(replies)).map((command) => command?.reply?.counter);
    expect(counters).toEqual([1, 2]);
  });
});

describe.each(["session", "event", "reply"])("a clone's %s", (name) => {
  const messageClass = name as MessageClass;
  const make = messageOf[name] as (counter?: number) => Bytes;

  it("under a spent counter is verified, then refused with an alarm; forged it is none", async () => {
    await issue(device, "c");
    // The honest device has spent the counter that the clone comes to.
    await cloud.send(device, "event", messageOf.event?.(name === "session" ? 1 : 7) as Bytes);
    const cloned = make(name === "session" ? undefined : 7);
    const forged = `${cloned.slice(0, -1)}${cloned.endsWith("a") ? "b" : "a"}` as Bytes;
    const topic = device.topic(messageClass);
    expect(await serve(topic, forged)).toMatchObject({ reason: "signature" });
    expect(lines.at(-1)).not.toHaveProperty("alarm");
    expect(await serve(topic, cloned)).toMatchObject({ reason: "counter-conflict", alarm: true });
    expect((await cloud.store.counts()).refused).toMatchObject({ "counter-conflict": 1 });
  });

  it("with the other signature of an honest message, (r, n - s), is a repeat and no alarm", async () => {
    await issue(device, "c");
    const honest = make();
    const twin = withTwinSignature(honest);
    expect(twin).not.toBe(honest);
    const topic = device.topic(messageClass);
    // It verifies as well: whichever comes first, the other is the same message.
    expect(await serve(topic, twin)).toMatchObject({ event: name, repeat: false });
    expect(await serve(topic, honest)).toMatchObject({ event: name, repeat: true });
    expect((await cloud.store.counts()).refused).toEqual({});
  });
});

describe("an event", () => {
  it("that is replayed for ever is stored once, and makes the audit log no longer", async () => {
    const { message } = device.makeEvent(cloud.self.publicKey);
    await cloud.send(device, "event", message);
    const before = await cloud.store.counts();
    for (let i = 0; i < 300; i++)
      expect(await cloud.send(device, "event", message)).toMatchObject({ repeat: true });
    expect(await cloud.store.counts()).toEqual(before);
  });

  it("that is withheld for a year comes in as it was, behind all that was sent since", async () => {
    const withheld = device.makeEvent(cloud.self.publicKey);
    const session = device.openSession(cloud.self.publicKey);
    await cloud.send(device, "session", session.message);
    cloud.clock.now += YEAR;
    await cloud.send(device, "event", device.makeEvent(cloud.self.publicKey).message);
    expect(await cloud.send(device, "event", withheld.message)).toMatchObject({
      ...{ kind: "event", repeat: false },
    });
    expect((await cloud.store.counts()).events).toBe(2);
  });
});
