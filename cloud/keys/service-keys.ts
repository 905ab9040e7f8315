/** What a service opens of its key directory, and opens anew when there is another set in it. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import {
  loadOpeningKeys,
  loadRegistrarKeys,
  type OpeningKeys,
  type RegistrarKeys,
} from "./cloud-keys.ts";
import type { Credential } from "./credentials.ts";
import { checkMade } from "./key-directory.ts";

export interface ServiceKeys {
  /** The newest key of the cloud, and those before it. */
  cloud: OpeningKeys;
  /** Undefined: devices cannot enrol, and everything else goes on. */
  registrar: RegistrarKeys | undefined;
}

export interface KeyEvents {
  /** There are others now; those before may be in use until the promise resolves. */
  renewed(keys: ServiceKeys): Promise<void>;
  /** What is in the directory cannot be used: those before stay. */
  kept(message: string): void;
}

function credentialsOf({ cloud, registrar }: ServiceKeys): Credential[] {
  const signing = registrar ? [registrar.registrar, registrar.issuing] : [];
  return [cloud, ...cloud.older, ...signing];
}

const serialsOf = (keys: ServiceKeys) =>
  credentialsOf(keys)
    .map(({ certificate }) => certificate.serial)
    .join();

/** What a file's being added, removed or written to changes. */
function traceOf(directory: string): string {
  return readdirSync(directory)
    .map((name) => {
      const stat = statSync(join(directory, name), { throwIfNoEntry: false });
      return `${name} ${stat?.size} ${stat?.mtimeMs} ${stat?.mode}`;
    })
    .sort()
    .join("\n");
}

/** Opens the keys; `noRegistrar` is told why there are none of a registrar. */
export function openServiceKeys(
  crypto: NodeCrypto,
  directory: string,
  noRegistrar: (message: string) => void,
) {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  function openRegistrar(): RegistrarKeys | undefined {
    try {
      return loadRegistrarKeys(crypto, directory);
    } catch (error) {
      noRegistrar((error as Error).message);
      return undefined;
    }
  }

  const open = (): ServiceKeys => ({
    cloud: loadOpeningKeys(crypto, directory),
    registrar: openRegistrar(),
  });
  const destroy = (opened: ServiceKeys) => {
    for (const { key } of credentialsOf(opened)) crypto.destroyKey(key);
  };

  checkMade(directory);
  let trace = traceOf(directory);
  let keys = open();

  async function change({ renewed }: KeyEvents): Promise<void> {
    const before = keys;
    const found = open();
    if (serialsOf(found) === serialsOf(before)) return destroy(found);
    keys = found;
    await renewed(found);
    destroy(before);
  }

  async function look(events: KeyEvents): Promise<void> {
    try {
      const now = traceOf(directory);
      if (now === trace) return;
      trace = now;
      await change(events);
    } catch (error) {
      events.kept((error as Error).message);
    }
  }

  function watch(everyMs: number, events: KeyEvents): void {
    timer = setTimeout(async () => {
      await look(events);
      if (!isClosed) watch(everyMs, events);
    }, everyMs);
  }

  return {
    current: () => keys,
    /**
     * Looks every `everyMs` whether they are still those that count. It asks rather than be
     * told: not every kind of volume that secrets are mounted from tells. A certificate is
     * written after its key and its line in the index, so that a look in between finds the
     * set before.
     */
    watch,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
