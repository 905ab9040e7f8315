import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { issueCommand, type Order } from "../../../cloud/operator/issue.ts";
import { outcomeOf } from "../../../cloud/operator/outcome.ts";
import type { Command } from "../../../cloud/store/commands.ts";
import { writeReplyContent } from "../../../cloud/store/reply-content.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { KnownDevice, Store } from "../../../cloud/store/store.ts";
import { STATUS_DELETED } from "../../../protocol/reply-message.ts";
import {
  type Authority,
  type BenchOptions,
  type CommandBench,
  createCommandBench,
  makeAuthority,
  NOW,
} from "../../support/command-bench.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { openBase } from "../../support/world/world.ts";
import { hashOf } from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";

/** What the operator's tool issues, given to the firmware's own commands; no broker between. */
const temporary = temporaryDirectories();
const opened: { close(): void }[] = [];
let authority: Authority;
let store: Store;
let device: CommandBench;

beforeAll(async () => {
  authority = await makeAuthority();
});
beforeEach(() => start());
afterEach(() => store.close());
afterAll(() => {
  for (const one of opened) one.close();
});

/** The device anew, with the policy of a board file and names or none. */
async function start(options: BenchOptions = {}) {
  const base = openBase();
  opened.push(base);
  device = createCommandBench(base.crypto, authority, options);
  device.boot();
  await store?.close();
  store = openSqliteStore(join(temporary(), "cloud.db"), () => NOW * 1000);
  const publicKey = base.crypto.exportPublicKey(base.crypto.openDeviceKey());
  const { kid, thumbprint } = device;
  const isNamed = !("ids" in options);
  const owner = { deviceId: isNamed ? "shed" : undefined, userId: isNamed ? "ann" : undefined };
  await store.registerDevice({ kid, publicKey, thumbprint, name: undefined }, NOW, owner);
}

async function issue(change: Partial<Order> = {}): Promise<Command> {
  const { provisioner, provisionerLeaf: certificate } = authority;
  const context = { crypto: nodeCrypto, store, provisioner: { ...provisioner, certificate } };
  const known = (await store.findDevice(device.kid)) as KnownDevice;
  return issueCommand(
    { ...context, now: () => NOW + 10 },
    {
      device: known,
      userId: "ann",
      action: "request",
      form: "sealed",
      lifeSeconds: 600,
      ...change,
    },
  );
}

/** The device obeys, and `serve` stores what it answers. */
async function outcome({ hash, message, counter }: Command) {
  device.take(message);
  // An erased device starts again before it says farewell.
  if (!device.isOn()) device.boot();
  device.collect();
  const reply = device.replies.find((one) => one.command === hash);
  if (reply === undefined) return undefined;
  await store.commitReply(
    {
      ...{ device: device.kid, counter: reply.counter, command: reply.command, at: NOW + 11 },
      ...{ content: writeReplyContent(reply), deleted: reply.status === STATUS_DELETED },
    },
    hashOf(`reply ${reply.counter}`),
  );
  return outcomeOf((await store.findCommand(device.kid, counter)) as Command);
}

describe("the firmware", () => {
  it("does what request and update say, and answers so that the operator knows", async () => {
    expect(await outcome(await issue())).toMatchObject({ isDone: true, status: "done" });
    expect(device.enrols).toEqual(["asked"]);
    const sensors = [{ sensor: 0, periodSeconds: 5, qos: 1 as const, drop: "oldest" as const }];
    const update = await issue({ action: "update", update: { sensors } });
    expect(await outcome(update)).toMatchObject({ isDone: true });
    expect(device.board.sensors[0]?.periodSeconds).toBe(5);
  });

  it("takes a command too long for its signer's certificate, once it has that", async () => {
    const cloudCertificate = (await authority.leaf("cloud", authority.cloud.publicKey, NOW)).der;
    const long = { action: "update", update: { cloudCertificate } } as const;
    await expect(issue(long)).rejects.toThrow(/send a shorter one first/);
    await outcome(await issue());
    expect(await outcome(await issue(long))).toMatchObject({ isDone: true });
  });

  it("says which form it takes", async () => {
    const refused = await outcome(await issue({ form: "signed" }));
    expect(refused).toMatchObject({ status: "policy", words: expect.stringContaining("sealed") });
    await start({ requestForm: 2 });
    expect(await outcome(await issue({ form: "signed" }))).toMatchObject({ isDone: true });
    expect(await outcome(await issue())).toMatchObject({ isDone: true });
  });

  it("obeys in the order of the counters", async () => {
    const [first, second] = [await issue(), await issue()];
    expect((await outcome(second))?.status).toBe("done");
    expect(await outcome(first)).toMatchObject({ status: "stale", detail: second.counter });
  });

  it("is erased by a delete", async () => {
    expect(await outcome(await issue({ action: "delete" }))).toMatchObject({ isDone: true });
    expect(await store.findDevice(device.kid)).toMatchObject({ state: "deleted" });
  });

  it("goes by its key id when it was registered by hand", async () => {
    await start({ ids: undefined });
    expect(await store.findDevice(device.kid)).toMatchObject({ deviceId: undefined });
    expect(await outcome(await issue())).toMatchObject({ isDone: true });
  });
});
