/** A broker, keys, a database with one device in it, and what stores its replies. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { validCertificates } from "../../../cloud/keys/credentials.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Store } from "../../../cloud/store/store.ts";
import {
  type Answer,
  type Obedient,
  obey,
  storeReplies,
} from "../../cloud/support/command-device.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { openTestDevice, type TestDevice } from "../../cloud/support/test-device.ts";
import { type Mosquitto, startMosquitto } from "../../support/mosquitto.ts";
import { type Ran, run } from "./run.ts";

export const ADDRESSEE = ["--device", "boiler", "--user", "ann"];

interface Parts {
  directory: string;
  keys: string;
  db: string;
  device: TestDevice;
  store: Store;
  replies: Awaited<ReturnType<typeof storeReplies>>;
}

/** Fresh for each test of the file, but for the broker. */
export function provisionBench() {
  const temporary = temporaryDirectories();
  const closers: (() => unknown)[] = [];
  let broker: Mosquitto;
  let parts: Parts;

  beforeAll(async () => {
    broker = await startMosquitto();
  });
  afterAll(() => broker?.close());
  beforeEach(async () => {
    const directory = temporary();
    const [keys, db] = [join(directory, "keys"), join(directory, "cloud.db")];
    const device = openTestDevice();
    await run("ca", "init", "--dir", keys);
    const key = ["--key", device.publicKey, "--device", "boiler", "--user", "ann"];
    await run("device", "register", ...key, "--db", db);
    const store = openSqliteStore(db);
    const replies = await storeReplies(broker.url, () => store, [device]);
    parts = { directory, keys, db, device, store, replies };
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await parts.replies.close();
    await parts.store.close();
    parts.device.close();
  });

  /** Broker, keys and database, as options. */
  const place = () => ["--broker", broker.url, "--keys", parts.keys, "--db", parts.db];

  return {
    get url() {
      return broker.url;
    },
    get keys() {
      return parts.keys;
    },
    get db() {
      return parts.db;
    },
    get device() {
      return parts.device;
    },
    get store() {
      return parts.store;
    },
    place,

    /** A command to the device for its user. */
    provision: (action: string, ...args: string[]): Promise<Ran> =>
      run("provision", action, ...ADDRESSEE, ...place(), ...args),

    /** The device, from now on. */
    async listen(answer: Answer): Promise<Obedient> {
      const { keys, device, replies } = parts;
      const [{ certificate }] = validCertificates(keys, "provisioner", Date.now() / 1000);
      const obedient = await obey({
        ...{ url: broker.url, device, cloud: replies.cloud, answer },
        provisioner: certificate.publicKey,
      });
      closers.push(obedient.close);
      return obedient;
    },

    file(name: string, content: string): string {
      const path = join(parts.directory, name);
      writeFileSync(path, content);
      return path;
    },

    closeLater: (close: () => unknown) => closers.push(close),
  };
}
