/**
 * The power is cut in the write that keeps a network given over the cable, after each byte of it:
 * the board has the old networks then or the new ones, and takes another.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Board, Settings } from "../../../firmware/config.ts";
import type { WifiNetwork } from "../../../firmware/network-settings.ts";
import {
  checkWifi,
  keepWifi,
  openSettings,
  readStoredSettings,
  type StoredSettings,
  writeStoredSettings,
} from "../../../firmware/provision/stored-settings.ts";
import { bytes } from "../../../protocol/bytes.ts";
import type { WifiUpdate } from "../../../protocol/update-parameters.ts";
import {
  describeBoth,
  useDirectories,
  useModules,
} from "../../simulator/devcrypto/implementations.ts";
import { makeTrust } from "../../support/trust.ts";

const network = (ssid: string) => ({ ssid, password: "hush-hush" }) as WifiUpdate;
const FLASHED = network("flashed");
const OLD = network("old");
const NEW = network("new");
const LATER = network("later");
const BROKERS = [{ host: bytes("broker.example"), port: 1883, tls: false, maxQos: 2 as const }];
const BOARD = { name: "desk", network: "wifi", sensors: [], queue: { readings: 8 } };

const trust = await makeTrust();
const silent = () => {};

/** What the store has before: nothing, networks of an `update` or of the cable, some on trial. */
const BEFORE: [string, StoredSettings[], used: WifiNetwork][] = [
  ["nothing", [], FLASHED],
  ["a network", [{ v: 1, wifi: [OLD] }], OLD],
  ["a network, written often", Array.from({ length: 3 }, () => ({ v: 1, wifi: [OLD] })), OLD],
  ["brokers on trial", [{ v: 1, wifi: [OLD], trial: { wifi: [OLD], brokers: BROKERS } }], OLD],
];

/** The order in which a directory's files were changed: each slot tells which write it is of. */
function changed(before: string, after: string) {
  return readdirSync(after)
    .filter((name) => name.startsWith("r-set-"))
    .map((name) => ({ name, content: readFileSync(join(after, name)) }))
    .filter(({ name, content }) => {
      const was = readdirSync(before).includes(name) ? readFileSync(join(before, name)) : undefined;
      return was === undefined || !was.equals(content);
    })
    .sort((a, b) => a.content.readUInt32BE(5) - b.content.readUInt32BE(5));
}

describeBoth("a network that is kept", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);

  function copyOf(directory: string): string {
    const copy = makeDirectory();
    cpSync(directory, copy, { recursive: true });
    return copy;
  }

  /** Runs one boot on what is in a directory. */
  function use<T>(directory: string, run: (crypto: ReturnType<typeof openModule>) => T): T {
    const crypto = open(directory);
    try {
      return run(crypto);
    } finally {
      crypto.close();
    }
  }

  /** The networks of a boot, its settings checked as they are there. */
  function boot(directory: string): WifiNetwork[] {
    const flashed = { brokers: BROKERS, ...trust, wifi: [FLASHED] };
    const board = structuredClone(BOARD) as unknown as Board;
    return use(
      directory,
      (crypto) => (openSettings(crypto, silent, flashed, board) as Settings).wifi,
    );
  }

  it.each(BEFORE)("over %s is old or new, after any byte", (_what, writes, used) => {
    const before = makeDirectory();
    use(before, (crypto) => {
      for (const stored of writes) writeStoredSettings(crypto, stored);
    });
    expect(boot(before)).toEqual([used]);
    const after = copyOf(before);
    use(after, (crypto) => keepWifi(crypto, silent, NEW));
    expect(boot(after)).toEqual([NEW]);

    const steps = changed(before, after);
    expect(steps).toHaveLength(writes.length === 0 ? 2 : 1);
    const seen = new Set<string>();
    const directory = copyOf(before);
    for (const { name, content } of steps) {
      const path = join(directory, name);
      const was = readdirSync(directory).includes(name) ? readFileSync(path) : Buffer.alloc(0);
      for (let length = 0; length <= content.length; length++) {
        // What a write leaves behind it: nothing, what was there, or flash that is erased.
        const erased = Buffer.alloc(content.length - length, 255);
        const tail = [Buffer.alloc(0), was.subarray(length), erased][length % 3] as Buffer;
        writeFileSync(path, Buffer.concat([content.subarray(0, length), tail]), { mode: 0o600 });
        const [found, ...more] = boot(directory) as [WifiNetwork];
        expect([used, NEW], `${name} ${length}`).toContainEqual(found);
        expect(more).toEqual([]);
        seen.add(found.ssid);
      }
      // Cut in the middle, it takes one all the same.
      const half = copyOf(directory);
      writeFileSync(join(half, name), content.subarray(0, content.length >> 1), { mode: 0o600 });
      use(half, (crypto) => {
        checkWifi(crypto, silent, { brokers: BROKERS }, LATER);
        keepWifi(crypto, silent, LATER);
      });
      expect(boot(half)).toEqual([LATER]);
      writeFileSync(path, content, { mode: 0o600 });
    }
    // Were it one of them only, nothing would have been cut.
    expect([...seen].sort()).toEqual([used.ssid, NEW.ssid].sort());
    const { brokers, trial } = use(directory, (crypto) => readStoredSettings(crypto, silent));
    const last = writes.at(-1)?.trial;
    expect([brokers, trial]).toEqual([undefined, last && { ...last, wifi: [NEW] }]);
  });
});
