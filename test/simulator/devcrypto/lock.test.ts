import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { bytes } from "../../../protocol/bytes.ts";
import { openStandIn } from "../../../simulator/devcrypto/stand-in.ts";
import { codeOf } from "../../cloud/crypto/support.ts";
import { addonPath } from "../../native/addon.ts";
import { describeBoth, native, type Open, useDirectories, useModules } from "./implementations.ts";

const LOCK = "module.lock";
const openers: [string, Open][] = [["stand-in", openStandIn]];
if (native.kind === "native") openers.push(["C module", native.open]);
const pairs = openers.flatMap(([one, first]) =>
  openers.map(([other, second]) => [one, other, first, second] as const),
);

const compiled = fileURLToPath(
  new URL("../../../dist/simulator/devcrypto/stand-in.js", import.meta.url),
);

/** A process that has the directory open and has taken the counter's first value. */
async function startHolder(kind: string, directory: string): Promise<ChildProcess> {
  const opener =
    kind === "stand-in"
      ? `(await import(${JSON.stringify(compiled)})).openStandIn`
      : `(await import("node:module")).createRequire("/")(${JSON.stringify(addonPath)}).open`;
  const script = `const crypto = ${opener}(${JSON.stringify(directory)});
    crypto.openDeviceKey();
    console.log(crypto.nextDeviceCounter());
    setInterval(() => crypto, 1000);`;
  const args = ["--input-type=module", "--eval", script];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const failed = once(child, "exit").then(() => Promise.reject(new Error("the holder ended")));
  await Promise.race([once(child.stdout, "data"), failed]);
  failed.catch(() => {});
  return child;
}

describe.each(pairs)("a directory open in the %s", (one, other, first, second) => {
  const directory = useDirectories();
  const opened = useModules((path) => first(path));
  const holders: ChildProcess[] = [];
  afterEach(() => {
    for (const holder of holders.splice(0)) holder.kill("SIGKILL");
  });

  it(`is refused by the ${other}, which counts on once it is given back`, () => {
    const path = directory();
    const crypto = opened(path);
    crypto.openDeviceKey();
    expect([crypto.nextDeviceCounter(), crypto.nextDeviceCounter()]).toEqual([1, 2]);
    expect(codeOf(() => second(path))).toBe("store");
    expect(crypto.nextDeviceCounter()).toBe(3);
    crypto.close();
    expect(existsSync(join(path, LOCK))).toBe(false);
    const next = second(path);
    next.openDeviceKey();
    expect(next.nextDeviceCounter()).toBe(4);
    next.close();
  });

  const isMissing = one === "stand-in" && !existsSync(compiled);
  it.skipIf(isMissing)(
    `by another process is refused by the ${other} until that is killed`,
    async () => {
      const path = directory();
      const holder = await startHolder(one, path);
      holders.push(holder);
      expect(codeOf(() => second(path))).toBe("store");
      holder.kill("SIGKILL");
      await once(holder, "exit");
      expect(lstatSync(join(path, LOCK)).isSymbolicLink()).toBe(true);
      const next = second(path);
      next.openDeviceKey();
      expect(next.nextDeviceCounter()).toBe(2);
      next.close();
    },
  );
});

describeBoth("the lock of a directory", (open) => {
  const directory = useDirectories();
  const openModule = useModules(open);

  it.each([
    ["a process that is gone", "999999999.5"],
    ["an earlier process of this number", `${process.pid}.1`],
    ["no process", "nobody"],
    ["nobody at all", "-1"],
  ])("of %s does not block", (_name, owner) => {
    const path = directory();
    symlinkSync(owner, join(path, LOCK));
    openModule(path);
    expect(readlinkSync(join(path, LOCK))).not.toBe(owner);
  });

  it.each([
    ["this process, without its start", String(process.pid)],
    ["another user's process", "1"],
  ])("of %s blocks", (_name, owner) => {
    const path = directory();
    symlinkSync(owner, join(path, LOCK));
    expect(codeOf(() => open(path))).toBe("store");
    expect(readlinkSync(join(path, LOCK))).toBe(owner);
  });

  it("is none of ours when it is a file", () => {
    const path = directory();
    writeFileSync(join(path, LOCK), "");
    expect(codeOf(() => open(path))).toBe("store");
  });

  it("stays over eraseAll, and so do directories; pipes, sockets and links go", async () => {
    const path = directory();
    const crypto = openModule(path);
    crypto.openDeviceKey();
    crypto.ringAppend(bytes("reading"));
    mkdirSync(join(path, "lost+found"));
    execFileSync("mkfifo", [join(path, "pipe")]);
    symlinkSync("/dev/null", join(path, "link"));
    const server = createServer().listen(join(path, "socket"));
    await once(server, "listening");
    crypto.eraseAll();
    server.close();
    expect(readdirSync(path).sort()).toEqual(["lost+found", LOCK]);
    expect(codeOf(() => open(path))).toBe("store");
  });
});
