import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bytes } from "../../../protocol/bytes.ts";
import { decodeRecord, encodeRecord } from "../../../simulator/devcrypto/record.ts";
import { codeOf } from "../../cloud/crypto/support.ts";
import { describeBoth, native, useDirectories, useModules } from "./implementations.ts";

const SLOTS = ["device-a", "device-b"];

describeBoth("device key and counter", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);

  /** A device that has handed out `count` counters, switched off. */
  function makeDevice(count: number): string {
    const directory = makeDirectory();
    const crypto = open(directory);
    crypto.openDeviceKey();
    for (let i = 0; i < count; i++) crypto.nextDeviceCounter();
    crypto.close();
    return directory;
  }

  function publicKeyOf(directory: string): string {
    const crypto = open(directory);
    const point = crypto.exportPublicKey(crypto.openDeviceKey());
    crypto.close();
    return point;
  }

  function nextCounterOf(directory: string): number {
    const crypto = open(directory);
    crypto.openDeviceKey();
    const counter = crypto.nextDeviceCounter();
    crypto.close();
    return counter;
  }

  function newest(directory: string): string {
    const sequence = (name: string) =>
      decodeRecord(readFileSync(join(directory, name)))?.sequence ?? 0;
    const [a, b] = SLOTS.map(sequence) as [number, number];
    return join(directory, a > b ? "device-a" : "device-b");
  }

  function damage(path: string): void {
    const content = readFileSync(path);
    content[60] = (content[60] as number) ^ 1;
    writeFileSync(path, content);
  }

  it("makes the key once and keeps it over restarts", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const handle = crypto.openDeviceKey();
    expect(crypto.openDeviceKey()).toBe(handle);
    const point = crypto.exportPublicKey(handle);
    expect(point).toHaveLength(65);
    const message = bytes("message");
    expect(crypto.verifyMessage(point, message, crypto.signMessage(handle, message))).toBe(true);
    crypto.close();
    expect(publicKeyOf(directory)).toBe(point);
    expect(publicKeyOf(makeDirectory())).not.toBe(point);
  });

  it("does not let the device key be destroyed", () => {
    const crypto = openModule(makeDirectory());
    const handle = crypto.openDeviceKey();
    expect(codeOf(() => crypto.destroyKey(handle))).toBe("key");
    expect(crypto.openDeviceKey()).toBe(handle);
  });

  it("counts from 1 without a gap over restarts, and only with the key open", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    expect(codeOf(() => crypto.nextDeviceCounter())).toBe("key");
    crypto.openDeviceKey();
    expect([1, 2, 3].map(() => crypto.nextDeviceCounter())).toEqual([1, 2, 3]);
    crypto.close();
    expect(nextCounterOf(directory)).toBe(4);
    expect(nextCounterOf(directory)).toBe(5);
  });

  it("keeps directory and files to their owner, and leaves no temporary file", () => {
    const directory = join(makeDirectory(), "made", "here");
    const crypto = openModule(directory);
    crypto.openDeviceKey();
    crypto.nextDeviceCounter();
    crypto.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(SLOTS);
    for (const name of SLOTS) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  });

  it("writes the layout of the C module", () => {
    const directory = makeDevice(2);
    const record = decodeRecord(readFileSync(newest(directory)));
    expect(record?.counter).toBe(2);
    expect(record?.sequence).toBe(4);
    expect(record?.publicKey.toString("latin1")).toBe(publicKeyOf(directory));
  });

  it.each(SLOTS)("jumps by 1,024, once, when %s is damaged or missing", (name) => {
    for (const spoil of [
      damage,
      (path: string) => truncateSync(path, 50),
      (path: string) => writeFileSync(path, ""),
      (path: string) => writeFileSync(path, Buffer.alloc(9000)),
      rmSync,
    ]) {
      const directory = makeDevice(5);
      const point = publicKeyOf(directory);
      spoil(join(directory, name));
      const counter = nextCounterOf(directory);
      expect(counter).toBeGreaterThan(5 + 1023);
      expect(counter).toBeLessThanOrEqual(5 + 1025);
      expect(nextCounterOf(directory)).toBe(counter + 1);
      expect(publicKeyOf(directory)).toBe(point);
    }
  });

  it("jumps when a slot was put back from a copy", () => {
    const directory = makeDevice(5);
    const old = join(makeDirectory(), "copy");
    const path = newest(directory);
    copyFileSync(path, old);
    const counters = [6, 7, 8, 9];
    expect(counters.map(() => nextCounterOf(directory))).toEqual(counters);
    copyFileSync(old, path);
    expect(nextCounterOf(directory)).toBe(8 + 1024 + 1);
  });

  it("fails with store when nothing is valid, and makes no new key", () => {
    const spoilBoth = [
      (directory: string) => {
        for (const name of SLOTS) damage(join(directory, name));
      },
      (directory: string) => {
        rmSync(join(directory, "device-a"));
        damage(join(directory, "device-b"));
      },
    ];
    for (const spoil of spoilBoth) {
      const directory = makeDevice(1);
      spoil(directory);
      const before = readFileSync(join(directory, "device-b"));
      const crypto = openModule(directory);
      expect(codeOf(() => crypto.openDeviceKey())).toBe("store");
      expect(codeOf(() => crypto.nextDeviceCounter())).toBe("key");
      expect(readFileSync(join(directory, "device-b")).equals(before)).toBe(true);
    }
  });

  // Both slots are written before a key is given out: only a first write that was cut leaves this.
  it("makes the key when the first write was cut: slot a damaged, no slot b", () => {
    const directory = makeDevice(0);
    damage(join(directory, "device-a"));
    rmSync(join(directory, "device-b"));
    const crypto = openModule(directory);
    expect(crypto.hasKey("device")).toBe(true);
    const point = crypto.exportPublicKey(crypto.openDeviceKey());
    crypto.close();
    expect(publicKeyOf(directory)).toBe(point);
    expect(nextCounterOf(directory)).toBe(1);
  });

  it("fails with store on a secret that is not the point's, and on two keys", () => {
    const [directory, other] = [makeDevice(1), makeDevice(1)];
    const foreign = decodeRecord(readFileSync(join(other, "device-a")));
    for (const name of SLOTS) {
      const record = decodeRecord(readFileSync(join(directory, name)));
      if (record === undefined || foreign === undefined) throw new Error("no record");
      const content = encodeRecord({ ...record, secret: foreign.secret });
      writeFileSync(join(directory, name), content);
    }
    expect(codeOf(() => openModule(directory).openDeviceKey())).toBe("store");
    const mixed = makeDevice(1);
    copyFileSync(join(other, "device-a"), join(mixed, "device-a"));
    expect(codeOf(() => openModule(mixed).openDeviceKey())).toBe("store");
  });

  it("ends at 2^32 - 1", () => {
    const directory = makeDevice(1);
    for (const name of SLOTS) {
      const record = decodeRecord(readFileSync(join(directory, name)));
      if (record === undefined) throw new Error("no record");
      writeFileSync(join(directory, name), encodeRecord({ ...record, counter: 2 ** 32 - 2 }));
    }
    expect(nextCounterOf(directory)).toBe(2 ** 32 - 1);
    expect(codeOf(() => nextCounterOf(directory))).toBe("sequence");
    openModule(makeDirectory());
  });

  it("refuses files and directories that are open to others or are links", () => {
    const readable = makeDevice(1);
    chmodSync(join(readable, "device-a"), 0o644);
    expect(codeOf(() => openModule(readable).openDeviceKey())).toBe("store");
    const wide = makeDirectory();
    chmodSync(wide, 0o755);
    expect(codeOf(() => open(wide))).toBe("store");
    const linked = makeDevice(1);
    const target = join(makeDirectory(), "target");
    copyFileSync(join(linked, "device-a"), target);
    rmSync(join(linked, "device-a"));
    symlinkSync(target, join(linked, "device-a"));
    expect(codeOf(() => openModule(linked).openDeviceKey())).toBe("store");
    const link = join(makeDirectory(), "link");
    symlinkSync(makeDirectory(), link);
    expect(codeOf(() => open(link))).toBe("store");
    for (const path of ["", "a\0b", 5] as string[])
      expect(codeOf(() => open(path))).toBe("argument");
  });

  it("hands out no counter that it could not store, and goes on when it can again", () => {
    const directory = makeDevice(1);
    const crypto = openModule(directory);
    crypto.openDeviceKey();
    // A directory where the temporary file goes: writing fails for every user, root included.
    for (const name of SLOTS)
      mkdirSync(join(directory, `${name}.new`, "full"), { recursive: true });
    expect(codeOf(() => crypto.nextDeviceCounter())).toBe("store");
    for (const name of SLOTS) rmSync(join(directory, `${name}.new`), { recursive: true });
    expect(crypto.nextDeviceCounter()).toBe(2);
  });

  it("is not hindered by what an interrupted write left behind", () => {
    const directory = makeDevice(1);
    for (const name of SLOTS) writeFileSync(join(directory, `${name}.new`), "half");
    expect([nextCounterOf(directory), nextCounterOf(directory)]).toEqual([2, 3]);
    for (const name of SLOTS) expect(existsSync(join(directory, `${name}.new`))).toBe(false);
  });

  it("opens a directory for one module at a time", () => {
    const directory = makeDirectory();
    const first = openModule(directory);
    expect(codeOf(() => open(directory))).toBe("store");
    first.close();
    expect(codeOf(() => openModule(directory))).toBe("none");
  });

  it.skipIf(native.kind !== "native")("continues what the other implementation began", () => {
    const directory = makeDevice(3);
    for (const other of [native.open, open]) {
      const crypto = other(directory);
      const before = decodeRecord(readFileSync(newest(directory)));
      const point = crypto.exportPublicKey(crypto.openDeviceKey());
      expect(point).toBe(before?.publicKey.toString("latin1"));
      expect(crypto.nextDeviceCounter()).toBe((before?.counter ?? 0) + 1);
      crypto.close();
    }
  });
});
