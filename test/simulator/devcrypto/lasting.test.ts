import { spawn } from "node:child_process";
import { once } from "node:events";
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
import { type Bytes, bytes } from "../../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../../protocol/cose/crypto.ts";
import { codeOf } from "../../cloud/crypto/support.ts";
import { describeBoth, native, useDirectories, useModules } from "./implementations.ts";

const SECTOR = 4096;
const every = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");

function damage(path: string, at: number): void {
  const content = readFileSync(path);
  content[at] = (content[at] as number) ^ 1;
  writeFileSync(path, content);
}

/** All entries, from the oldest. */
function entriesOf(crypto: DeviceCrypto): (Bytes | undefined)[] {
  return Array.from({ length: crypto.ringCount() }, (_, index) => crypto.ringPeek(index));
}

describeBoth("records", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);

  it("keeps records of any bytes over restarts, apart from each other and from keys", () => {
    const directory = makeDirectory();
    const first = openModule(directory);
    expect(first.readRecord("device")).toBeUndefined();
    const contents = ["", "a", every, every.repeat(16)].map((text) => bytes(text));
    contents.forEach((content, index) => {
      first.writeRecord(`r${index}`, content);
    });
    first.writeRecord("device", bytes("no key"));
    first.openDeviceKey();
    first.close();
    const again = openModule(directory);
    contents.forEach((content, index) => {
      expect(again.readRecord(`r${index}`)).toBe(content);
    });
    again.writeRecord("r1", bytes("other"));
    expect(again.readRecord("r1")).toBe("other");
    again.eraseRecord("r1");
    again.eraseRecord("r1");
    expect(again.readRecord("r1")).toBeUndefined();
    expect(again.readRecord("r2")).toBe(every);
    expect(statSync(join(directory, "r-r2-a")).mode & 0o777).toBe(0o600);
  });

  it("refuses what is too long and ids that are none", () => {
    const crypto = openModule(makeDirectory());
    const write = (id: unknown, content: unknown) => () =>
      crypto.writeRecord(id as string, content as Bytes);
    expect(codeOf(write("a", "x".repeat(4097)))).toBe("argument");
    expect(codeOf(write("a", "\u0100"))).toBe("argument");
    expect(codeOf(write("a", 5))).toBe("argument");
    for (const id of ["", "A", "elevenchars", "a-b", "../a", 5, undefined]) {
      expect(codeOf(write(id, "a"))).toBe("argument");
      expect(codeOf(() => crypto.readRecord(id as string))).toBe("argument");
      expect(codeOf(() => crypto.eraseRecord(id as string))).toBe("argument");
    }
    expect(crypto.readRecord("a")).toBeUndefined();
  });

  it("falls back to the other slot when one is damaged, and says so when both are", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const [a, b] = [join(directory, "r-x-a"), join(directory, "r-x-b")] as const;
    crypto.writeRecord("x", bytes("first"));
    crypto.writeRecord("x", bytes("second"));
    const sequences = [a, b].map((path) => readFileSync(path).readUInt32BE(5));
    const [newest, older] = (sequences[0] as number) > (sequences[1] as number) ? [a, b] : [b, a];
    damage(newest, 12);
    expect(crypto.readRecord("x")).toBe("first");
    damage(older, 6);
    expect(codeOf(() => crypto.readRecord("x"))).toBe("store");
    crypto.writeRecord("x", bytes("third"));
    truncateSync(a, 3);
    expect(crypto.readRecord("x")).toBe("third");
    rmSync(b);
    expect(crypto.readRecord("x")).toBeUndefined();
  });

  it("fails with store where it cannot write, and keeps the old", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    crypto.writeRecord("x", bytes("old"));
    for (const name of ["r-x-a.new", "r-x-b.new"])
      mkdirSync(join(directory, name, "full"), { recursive: true });
    expect(codeOf(() => crypto.writeRecord("x", bytes("new")))).toBe("store");
    expect(crypto.readRecord("x")).toBe("old");
    chmodSync(join(directory, "r-x-a"), 0o644);
    expect(codeOf(() => crypto.readRecord("x"))).toBe("store");
  });

  it("erases everything", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const key = crypto.openDeviceKey();
    const point = crypto.exportPublicKey(key);
    crypto.openKey("next");
    crypto.writeRecord("x", bytes("content"));
    crypto.ringAppend(bytes("entry"));
    crypto.eraseAll();
    expect(readdirSync(directory).filter((name) => name !== "module.lock")).toEqual([]);
    expect(codeOf(() => crypto.exportPublicKey(key))).toBe("key");
    expect(codeOf(() => crypto.nextDeviceCounter())).toBe("key");
    expect(crypto.readRecord("x")).toBeUndefined();
    expect(crypto.ringCount()).toBe(0);
    expect(crypto.exportPublicKey(crypto.openDeviceKey())).not.toBe(point);
  });

  it("says so when not everything could be erased, and wipes the keys all the same", async () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    const key = crypto.openDeviceKey();
    // No one may write to a program while it runs.
    const busy = join(directory, "busy");
    copyFileSync("/bin/sleep", busy);
    const running = spawn(busy, ["60"]);
    expect(codeOf(() => crypto.eraseAll())).toBe("store");
    expect(codeOf(() => crypto.exportPublicKey(key))).toBe("key");
    running.kill("SIGKILL");
    await once(running, "exit");
    expect(codeOf(() => crypto.eraseAll())).toBe("none");
    expect(existsSync(busy)).toBe(false);
  });

  it.skipIf(native.kind !== "native")("reads what the other implementation wrote", () => {
    const directory = makeDirectory();
    let last: string | undefined;
    for (const either of [native.open, open, native.open]) {
      const crypto = either(directory);
      expect(crypto.readRecord("x")).toBe(last);
      last = `written ${crypto.readRecord("x")?.length}`;
      crypto.writeRecord("x", bytes(last));
      crypto.close();
    }
  });
});

describeBoth("ring", (open) => {
  const makeDirectory = useDirectories();
  const openModule = useModules(open);

  it("makes no file before it is used", () => {
    const directory = makeDirectory();
    const crypto = openModule(directory);
    expect(existsSync(join(directory, "queue"))).toBe(false);
    expect(crypto.ringCount()).toBe(0);
    expect(statSync(join(directory, "queue")).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, "queue")).size).toBe(16 * SECTOR);
  });

  it("gives entries in order, drops the oldest, over restarts", () => {
    const directory = makeDirectory();
    let crypto = openModule(directory);
    const entries = ["a", every, "longest".repeat(200).slice(0, 1088), "d", "e"].map(bytes);
    for (const entry of entries) expect(crypto.ringAppend(entry)).toBe(0);
    expect(entriesOf(crypto)).toEqual(entries);
    expect(crypto.ringPeek(3)).toBe("d");
    expect(crypto.ringPeek(0)).toBe("a");
    crypto.ringDrop(2);
    expect(entriesOf(crypto)).toEqual(entries.slice(2));
    crypto.close();
    crypto = openModule(directory);
    expect(entriesOf(crypto)).toEqual(entries.slice(2));
    crypto.ringDrop(0);
    crypto.ringDrop(99);
    expect(crypto.ringCount()).toBe(0);
    expect(crypto.ringPeek(0)).toBeUndefined();
    crypto.ringAppend(bytes("after"));
    expect(entriesOf(crypto)).toEqual(["after"]);
  });

  it("loses the oldest when full, and says how many", () => {
    const directory = makeDirectory();
    let crypto = openModule(directory);
    let lost = 0;
    const entryOf = (number: number) => bytes(`${number}:${"x".repeat(300 + (number % 50))}`);
    for (let number = 0; number < 400; number++) lost += crypto.ringAppend(entryOf(number));
    expect(lost).toBeGreaterThan(150);
    expect(crypto.ringCount()).toBe(400 - lost);
    expect(entriesOf(crypto)).toEqual(
      Array.from({ length: 400 - lost }, (_, index) => entryOf(index + lost)),
    );
    crypto.close();
    crypto = openModule(directory);
    expect(crypto.ringPeek(0)).toBe(entryOf(lost));
    expect(crypto.ringCount()).toBe(400 - lost);
  });

  it("passes over an entry that was cut, and goes on after it", () => {
    const directory = makeDirectory();
    let crypto = openModule(directory);
    for (const entry of ["one", "two", "three"]) crypto.ringAppend(bytes(entry));
    crypto.close();
    damage(join(directory, "queue"), 16 + 16 + 12);
    crypto = openModule(directory);
    expect(entriesOf(crypto)).toEqual(["one", "three"]);
    crypto.ringAppend(bytes("four"));
    expect(entriesOf(crypto)).toEqual(["one", "three", "four"]);
  });

  it("takes 1 to 1,088 bytes, and whole numbers", () => {
    const crypto = openModule(makeDirectory());
    for (const wrong of ["", "x".repeat(1089), "\u0100", 5, undefined])
      expect(codeOf(() => crypto.ringAppend(wrong as Bytes))).toBe("argument");
    for (const wrong of [-1, 0.5, Number.NaN, "1", undefined]) {
      expect(codeOf(() => crypto.ringPeek(wrong as number))).toBe("argument");
      expect(codeOf(() => crypto.ringDrop(wrong as number))).toBe("argument");
    }
    expect(crypto.ringPeek(2 ** 32 - 1)).toBeUndefined();
  });

  it("refuses a file that is not its flash", () => {
    const spoilers: ((path: string) => void)[] = [
      (path) => truncateSync(path, 5000),
      (path) => chmodSync(path, 0o644),
      (path) => {
        rmSync(path);
        symlinkSync("/dev/null", path);
      },
    ];
    for (const spoil of spoilers) {
      const directory = makeDirectory();
      const crypto = openModule(directory);
      crypto.ringAppend(bytes("entry"));
      crypto.close();
      spoil(join(directory, "queue"));
      const again = openModule(directory);
      expect(codeOf(() => again.ringCount())).toBe("store");
      expect(codeOf(() => again.ringAppend(bytes("entry")))).toBe("store");
    }
  });

  it.skipIf(native.kind !== "native")("continues what the other implementation began", () => {
    const directory = makeDirectory();
    const expected: Bytes[] = [];
    for (let round = 0; round < 12; round++) {
      const crypto = (round % 2 === 0 ? native.open : open)(directory);
      expect(entriesOf(crypto)).toEqual(expected);
      for (let i = 0; i < 25; i++) {
        const entry = bytes(`${round}.${i}${"y".repeat((i * 53) % 700)}`);
        expected.push(entry);
        expected.splice(0, crypto.ringAppend(entry));
      }
      crypto.ringDrop(round);
      expected.splice(0, round);
      expect(entriesOf(crypto)).toEqual(expected);
      crypto.close();
    }
  });
});
