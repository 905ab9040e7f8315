/** A store in a file with one device in it, and a provisioner under a root. */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Issuer } from "../../../cloud/ca/issue.ts";
import { journalPath } from "../../../cloud/journal/journal.ts";
import { type IssueContext, issueCommand, type Order } from "../../../cloud/operator/issue.ts";
import type { Command } from "../../../cloud/store/commands.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { KnownDevice, Store } from "../../../cloud/store/store.ts";
import { kidOf, thumbprintOf } from "../../../protocol/kid.ts";
import { run } from "../../scripts/cli/run.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { makeRoot, makeUnder } from "./authority.ts";
import { openTestDevice, type TestDevice } from "./test-device.ts";

const unixNow = () => Math.floor(Date.now() / 1000);

function credentialOf({ key, certificate }: Issuer) {
  const { publicKey } = certificate;
  const thumbprint = thumbprintOf(nodeCrypto, publicKey);
  return { certificate, key, publicKey, thumbprint, kid: kidOf(thumbprint) };
}

export async function openOperatorBench(directory: string) {
  const path = join(directory, "cloud.db");
  const opened: Store[] = [];
  const devices: TestDevice[] = [];
  const open = () => {
    const store = openSqliteStore(path);
    opened.push(store);
    return store;
  };
  let store = open();
  const provisioner = credentialOf(
    await makeUnder(await makeRoot(unixNow()), "provisioner", unixNow()),
  );

  async function add(deviceId: string | undefined): Promise<TestDevice> {
    const device = openTestDevice();
    devices.push(device);
    const { kid, point: publicKey, thumbprint } = device;
    const owner = { deviceId, userId: deviceId && "ann" };
    await store.registerDevice({ kid, publicKey, thumbprint, name: undefined }, unixNow(), owner);
    return device;
  }

  const device = await add("boiler");

  return {
    path,
    get store() {
      return store;
    },
    /** The same database once more, as another process has it. */
    open,
    device,
    /** One more device. */
    add,
    provisioner,
    known: async (one = device) => (await store.findDevice(one.kid)) as KnownDevice,

    /** A sealed request of an hour, unless told otherwise. */
    async issue(
      change: Partial<Order> = {},
      context: Partial<IssueContext> = {},
    ): Promise<Command> {
      const order: Order = {
        ...{ device: await this.known(), userId: "ann", action: "request", form: "sealed" },
        ...{ lifeSeconds: 3600, ...change },
      };
      return issueCommand(
        { crypto: nodeCrypto, store, provisioner, now: unixNow, ...context },
        order,
      );
    },

    /** The database as it is now, without its journal. */
    async backUp(): Promise<string> {
      const copy = join(directory, "backup.db");
      const database = new Database(path);
      await database.backup(copy);
      database.close();
      return copy;
    },
    /** Puts a backup back and opens it, with the journal that is there or one made anew. */
    async restore(copy: string, { isJournalLost = false } = {}): Promise<void> {
      for (const one of opened.splice(0)) await one.close();
      for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
      copyFileSync(copy, path);
      if (isJournalLost) {
        rmSync(journalPath(path));
        await run("journal", "rebuild", "--db", path);
      }
      store = open();
    },

    async close() {
      for (const one of opened) await one.close();
      for (const one of devices) one.close();
    },
  };
}

export type OperatorBench = Awaited<ReturnType<typeof openOperatorBench>>;
