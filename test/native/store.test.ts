import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeAddon, type Module, makeStorePath, openAddon, thrownBy } from "./addon.ts";

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

describeAddon("native key store", () => {
  let store: ReturnType<typeof makeStorePath>;
  let opened: Module[];

  beforeEach(() => {
    store = makeStorePath();
    opened = [];
  });

  afterEach(() => {
    for (const crypto of opened) crypto.close();
    store.remove();
  });

  function open(path = store.path): Module {
    const crypto = openAddon(path);
    opened.push(crypto);
    return crypto;
  }

  /** A store with a key and the counter at 1; closed. */
  function makeStore(): string {
    const crypto = open();
    const publicKey = crypto.exportPublicKey(crypto.openDeviceKey());
    crypto.nextDeviceCounter();
    crypto.close();
    return publicKey;
  }

  function openKeyCode(): string | undefined {
    return thrownBy(() => open().openDeviceKey())?.code;
  }

  it("makes directory and files for the owner only, under any umask", () => {
    const umask = process.umask(0);
    try {
      makeStore();
    } finally {
      process.umask(umask);
    }
    expect(mode(store.path)).toBe(0o700);
    expect(readdirSync(store.path).sort()).toEqual(["device-a", "device-b"]);
    for (const file of readdirSync(store.path)) expect(mode(join(store.path, file))).toBe(0o600);
  });

  it("writes nothing before the device key is opened", () => {
    open().generateKey(2);
    expect(readdirSync(store.path)).toEqual(["module.lock"]);
  });

  it("finds key and counter again", () => {
    const publicKey = makeStore();
    for (let expected = 2; expected < 5; expected++) {
      const crypto = open();
      expect(crypto.exportPublicKey(crypto.openDeviceKey())).toBe(publicKey);
      expect(crypto.nextDeviceCounter()).toBe(expected);
      crypto.close();
    }
  });

  it("makes missing parents, and takes a path with a slash at its end", () => {
    open(`${store.path}/a/b/`).openDeviceKey();
    expect(mode(join(store.path, "a", "b"))).toBe(0o700);
  });

  it.each([0o750, 0o705, 0o770, 0o777])("refuses a directory of mode %o", (wide) => {
    makeStore();
    chmodSync(store.path, wide);
    expect(thrownBy(() => open())?.code).toBe("store");
  });

  it.each([0o640, 0o604, 0o700, 0o666])("refuses a file of mode %o", (wide) => {
    makeStore();
    chmodSync(join(store.path, "device-a"), wide);
    expect(openKeyCode()).toBe("store");
  });

  it("refuses a symbolic link in the directory's place", () => {
    makeStore();
    const link = `${store.path}-link`;
    symlinkSync(store.path, link);
    expect(thrownBy(() => open(link))?.code).toBe("store");
    expect(thrownBy(() => open(`${link}/`))?.code).toBe("store");
  });

  it("refuses a symbolic link in a file's place", () => {
    makeStore();
    const file = join(store.path, "device-b");
    renameSync(file, `${store.path}-moved`);
    symlinkSync(`${store.path}-moved`, file);
    expect(openKeyCode()).toBe("store");
  });

  it("refuses a directory in a file's place, and a file in the directory's", () => {
    mkdirSync(join(store.path, "device-a"), { recursive: true, mode: 0o700 });
    chmodSync(store.path, 0o700);
    expect(openKeyCode()).toBe("store");
    writeFileSync(`${store.path}-file`, "");
    expect(thrownBy(() => open(`${store.path}-file`))?.code).toBe("store");
  });

  it("does not write through a link planted as the temporary file", () => {
    makeStore();
    const victim = `${store.path}-victim`;
    writeFileSync(victim, "untouched");
    for (const name of ["device-a.new", "device-b.new"])
      symlinkSync(victim, join(store.path, name));
    const crypto = open();
    crypto.openDeviceKey();
    expect(crypto.nextDeviceCounter()).toBe(2);
    expect(crypto.nextDeviceCounter()).toBe(3);
    expect(readFileSync(victim, "utf8")).toBe("untouched");
    crypto.close();
    expect(readdirSync(store.path).sort()).toEqual(["device-a", "device-b"]);
  });

  it("jumps by 1,024 once when a slot is damaged, and never replaces a key", () => {
    const publicKey = makeStore();
    writeFileSync(join(store.path, "device-a"), "damaged", { mode: 0o600 });
    const crypto = open();
    expect(crypto.exportPublicKey(crypto.openDeviceKey())).toBe(publicKey);
    const counter = crypto.nextDeviceCounter();
    expect([1025, 1026]).toContain(counter);
    crypto.close();
    const again = open();
    again.openDeviceKey();
    expect(again.nextDeviceCounter()).toBe(counter + 1);
    again.close();
    for (const name of ["device-a", "device-b"])
      writeFileSync(join(store.path, name), "damaged", { mode: 0o600 });
    expect(openKeyCode()).toBe("store");
    expect(readFileSync(join(store.path, "device-a"), "utf8")).toBe("damaged");
  });

  it("has one module at a time: two would hand out one counter twice", () => {
    const first = open();
    first.openDeviceKey();
    expect(thrownBy(() => open())?.code).toBe("store");
    first.close();
    expect(() => open().openDeviceKey()).not.toThrow();
  });

  it.each([
    ["no path", undefined],
    ["a number", 5],
    ["an empty path", ""],
    ["a path with a zero character", "/tmp/a\0b"],
  ])("refuses %s", (_name, path) => {
    expect(thrownBy(() => openAddon(path as string))?.code).toBe("argument");
  });

  it("refuses a path too long or under a file", () => {
    expect(thrownBy(() => openAddon(`/tmp/${"x".repeat(5000)}`))?.code).toBe("argument");
    expect(thrownBy(() => openAddon("/dev/null/store"))?.code).toBe("store");
  });
});
