/**
 * A broker that holds back, repeats and forges what goes to a device, between the firmware and the
 * cloud's own parts, in virtual time.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueCommand, type Order } from "../../cloud/operator/issue.ts";
import { outcomeOf } from "../../cloud/operator/outcome.ts";
import type { Command } from "../../cloud/store/commands.ts";
import type { KnownDevice } from "../../cloud/store/store.ts";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { ACTION_REQUEST } from "../../protocol/command-content.ts";
import { createCommandMaker } from "../../protocol/command-message.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { type MessageClass, topicOf } from "../../protocol/topics.ts";
import { toBinary } from "../support/cbor-oracle.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import { makeWorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { createWorld, openBase, SURE, type World } from "../support/world/world.ts";

const IDS = { deviceId: bytes("boiler-1"), userId: bytes("ann") };
const CLAIM = bytes("0123456789abcdef");
const DAY = 86_400;
const HOUR = 3600;
const PERIOD = 600;

const base = openBase();
let authority: Awaited<ReturnType<typeof makeWorldAuthority>>;
let world: World;
let kid: Bytes;
beforeAll(async () => {
  authority = await makeWorldAuthority(FIRST_DAY);
});
afterAll(() => base.close());

/** A device that has enrolled, and streams. */
beforeEach(async () => {
  const enrolment = { ...IDS, claim: CLAIM };
  const trust = { ...authority.trust, enrolment };
  world = createWorld(base.crypto, {
    authority: { ...authority, trust },
    board: { sensors: [{ driver: SURE, periodSeconds: PERIOD, qos: 1 }] },
  });
  await world.cloud.store.makeClaim({
    ...{ hash: nodeCrypto.hashCompute(CLAIM), userId: IDS.userId, deviceId: undefined },
    ...{ madeAt: FIRST_DAY, expiresAt: FIRST_DAY + DAY },
  });
  const publicKey = base.crypto.exportPublicKey(base.crypto.openDeviceKey());
  kid = kidOf(thumbprintOf(nodeCrypto, publicKey));
  world.boot();
  expect(await world.scheduler.until(() => said(/state: streaming/) > 0, HOUR)).toBe(true);
});
afterEach(() => world.close());

const said = (pattern: RegExp) => world.log.filter((line) => pattern.test(line)).length;
const pass = (seconds: number) => world.scheduler.until(() => false, seconds);
const known = async () => (await world.cloud.store.findDevice(kid)) as KnownDevice;
/** How many messages of a class the device has begun to send. */
const sent = (messageClass: MessageClass) =>
  world.events.filter(
    (event) =>
      event.kind === "sent" &&
      event.packet.cmd === "publish" &&
      event.packet.topic === topicOf("cf/1", kid, messageClass),
  ).length;

async function issue(change: Partial<Order> = {}, by = authority.provisioner): Promise<Command> {
  const { store, context } = world.cloud;
  return issueCommand(
    { crypto: nodeCrypto, store, provisioner: by, now: context.now },
    {
      ...{ device: await known(), userId: IDS.userId, action: "update", form: "sealed" },
      ...{ lifeSeconds: HOUR, update: sensors(5), ...change },
    },
  );
}

const sensors = (periodSeconds: number) => ({
  sensors: [{ sensor: 0, periodSeconds, qos: 1 as const, drop: "oldest" as const }],
});

function deliver(message: Bytes): void {
  world.broker.publish(topicOf("cf/1", kid, "command"), toBinary(message));
}

async function outcome({ counter }: Command) {
  return outcomeOf((await world.cloud.store.findCommand(kid, counter)) as Command);
}

/** Measurements in an hour: what the device does now. */
async function measured(): Promise<number> {
  const before = world.produced.length;
  await pass(HOUR);
  return world.produced.length - before;
}

describe("a command that the broker holds back", () => {
  it("until after its end is not obeyed, and the operator is told", async () => {
    const command = await issue();
    await pass(3 * DAY);
    deliver(command.message);
    await pass(60);
    expect(await outcome(command)).toMatchObject({ isDone: false, status: "expired" });
    expect(await measured()).toBe(HOUR / PERIOD);
  });

  it("until a later one was obeyed is stale, and again each time that it comes", async () => {
    const [held, next] = [await issue(), await issue({ update: sensors(1200) })];
    for (const { message } of [next, held, held, next, held]) {
      deliver(message);
      await pass(60);
    }
    expect(await outcome(next)).toMatchObject({ isDone: true });
    expect(await outcome(held)).toMatchObject({ status: "stale", detail: next.counter });
    expect(await measured()).toBe(HOUR / 1200);
  });
});

describe("a provisioner whose certificate is below issued-not-before", () => {
  it("is not heard any more, whatever counter he has; his successor is", async () => {
    const successor = await authority.credential("provisioner", FIRST_DAY + 100);
    const issuedNotBefore = { cloud: 0, registrar: 0, provisioner: FIRST_DAY + 1 };
    const raise = await issue({ update: { issuedNotBefore } }, successor);
    deliver(raise.message);
    await pass(60);
    expect(await outcome(raise)).toMatchObject({ isDone: true });

    const late = await issue();
    for (let i = 0; i < 3; i++) {
      deliver(late.message);
      await pass(60);
    }
    expect(await outcome(late)).toBeUndefined();
    expect(said(/command refused: .*too-old/)).toBe(3);
    const good = await issue({ update: sensors(1200) }, successor);
    deliver(good.message);
    await pass(60);
    expect(await outcome(good)).toMatchObject({ isDone: true });
    expect(await measured()).toBe(HOUR / 1200);
  });
});

describe("a request that the broker makes weaker", () => {
  const content = {
    ...{ counter: 2 ** 52, issued: FIRST_DAY, expires: FIRST_DAY + DAY },
    ...{ action: ACTION_REQUEST, ...IDS },
  };
  const maker = createCommandMaker(nodeCrypto);

  it("plain, or signed by a stranger, does nothing and gets no answer", async () => {
    const { thumbprint } = await known();
    const stranger = makeParty();
    const enrols = sent("enrol");
    for (const { message } of [
      maker.plain(content),
      maker.signed(stranger, thumbprint, content, undefined),
      maker.signed(stranger, thumbprint, content, authority.provisioner.certificate.der),
    ]) {
      deliver(message);
      await pass(60);
    }
    expect(said(/command refused/)).toBe(3);
    expect([sent("enrol") - enrols, sent("reply")]).toEqual([0, 0]);
  });

  it("by no word in between can be had: the operator's own signed one is refused too", async () => {
    const enrols = sent("enrol");
    const signed = await issue({ action: "request", form: "signed", update: undefined });
    deliver(signed.message);
    await pass(60);
    expect(await outcome(signed)).toMatchObject({ isDone: false, status: "policy" });
    expect(sent("enrol")).toBe(enrols);
  });
});

describe("a device that is revoked", () => {
  it("is sent no command, and what it says of one that was held back is not heard", async () => {
    const held = await issue({ lifeSeconds: 9 * DAY });
    await world.cloud.store.revokeDevice(kid, FIRST_DAY);
    await expect(issue()).rejects.toThrow(/not revoked/);
    deliver(held.message);
    await pass(HOUR);
    // The device does not know that it is revoked, and obeys.
    expect(await outcome(held)).toBeUndefined();
    const rows = (await world.cloud.store.counts()).readings;
    expect(await measured()).toBeGreaterThan(0);
    expect((await world.cloud.store.counts()).readings).toBe(rows);
  });
});
