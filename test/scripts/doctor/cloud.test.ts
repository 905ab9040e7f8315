import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import { databaseCheck } from "../../../scripts/doctor/database.ts";
import { diskCheck } from "../../../scripts/doctor/disk.ts";
import { listenersCheck } from "../../../scripts/doctor/listeners.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { mountSmall } from "../../support/small-disk.ts";
import { machineWith, problemOf, resultsOf } from "./bench.ts";

const temporary = temporaryDirectories();

describe("database", () => {
  /** A machine whose kernel lists this type for everything. */
  function machineOn(type: string) {
    const proc = temporary();
    mkdirSync(join(proc, "self"));
    writeFileSync(join(proc, "self", "mounts"), `/dev/sda1 / ${type} rw 0 0\n`);
    return machineWith({ proc });
  }
  const onDisk = () => machineOn("ext4");

  it("is fine before it is made and after, and nothing is left of the trial", async () => {
    const folder = temporary();
    const path = join(folder, "data", "cloud.db");
    const check = () => databaseCheck(onDisk(), path);
    expect(await resultsOf(check())).toEqual(["ok", "ok", "ok"]);
    expect(existsSync(join(folder, "data"))).toBe(false);
    const store = openSqliteStore(path);
    expect(await resultsOf(check())).toEqual(["ok", "ok", "ok"]);
    await store.close();
    expect(execFileSync("ls", ["-A", join(folder, "data")], { encoding: "utf8" })).toBe(
      "cloud.db\ncloud.db.journal\n",
    );
  });

  it.skipIf(!existsSync("/dev/shm"))("fails in memory", async () => {
    const folder = mkdtempSync("/dev/shm/coseflow-test-");
    onTestFinished(() => rmSync(folder, { recursive: true }));
    expect(await problemOf(databaseCheck(machineWith({}), join(folder, "cloud.db")))).toMatchObject(
      {
        result: "fail",
        text: `${folder} is on tmpfs`,
      },
    );
  });

  it.each([
    ["nfs4", "fail"],
    ["cifs", "fail"],
    ["fuse.sshfs", "fail"],
    ["overlay", "warn"],
  ])("on %s is a %s", async (type, result) => {
    const path = join(temporary(), "cloud.db");
    expect((await problemOf(databaseCheck(machineOn(type), path))).result).toBe(result);
  });

  it("takes the innermost mount, blanks in its name included", async () => {
    const folder = join(temporary(), "a b");
    mkdirSync(folder);
    const machine = machineOn("ext4");
    writeFileSync(
      join(machine.proc, "self", "mounts"),
      `none ${folder.replace(" ", "\\040")} tmpfs rw 0 0\n/dev/sda1 / ext4 rw 0 0\nx ${folder.slice(0, -1).replace(" ", "\\040")} nfs rw 0 0\n`,
    );
    const { text } = await problemOf(databaseCheck(machine, join(folder, "cloud.db")));
    expect(text).toBe(`${folder} is on tmpfs`);
  });

  it("fails when it is locked", async () => {
    const path = join(temporary(), "cloud.db");
    await openSqliteStore(path).close();
    const other = new Database(path);
    onTestFinished(() => void other.close());
    other.exec("BEGIN IMMEDIATE");
    const { text } = await problemOf(databaseCheck(onDisk(), path));
    expect(text).toMatch(/locked by another process/);
    other.exec("ROLLBACK");
    expect(await resultsOf(databaseCheck(onDisk(), path))).toEqual(["ok", "ok", "ok"]);
  });

  it("fails when it is none, or of a newer program", async () => {
    const path = join(temporary(), "cloud.db");
    writeFileSync(path, "not a database, however long this text may be");
    expect((await problemOf(databaseCheck(onDisk(), path))).text).toMatch(/is not a database/);
    rmSync(path);
    mkdirSync(path);
    expect((await problemOf(databaseCheck(onDisk(), path))).fix).toBe(`ls -ld ${path}`);
    rmSync(path, { recursive: true });
    const newer = new Database(path);
    newer.pragma("user_version = 99");
    newer.close();
    expect((await problemOf(databaseCheck(onDisk(), path))).text).toMatch(/version 99, expected/);
  });
});

describe("disk", () => {
  it("fails when it is full, and so does the database", async ({ skip }) => {
    const folder = mountSmall(1);
    if (folder === undefined) return skip("no file system can be mounted here");
    const path = join(folder, "cloud.db");
    expect(() => writeFileSync(join(folder, "filler"), Buffer.alloc(2 ** 21))).toThrow(/ENOSPC/);
    expect(await problemOf(diskCheck(path))).toMatchObject({
      result: "fail",
      text: `0 MiB free at ${folder}`,
    });
    const [, journal] = await databaseCheck(machineWith({}), path).run();
    expect(journal).toMatchObject({ result: "fail", fix: `df -h ${folder}` });
    rmSync(join(folder, "filler"));
    expect(() => {
      for (let i = 0; i < 100; i++) writeFileSync(join(folder, String(i)), "");
    }).toThrow(/ENOSPC/);
    expect((await problemOf(diskCheck(path))).text).toBe(`no inode free at ${folder}`);
  });

  it("is told of the nearest folder that is there", async () => {
    const folder = temporary();
    const [finding] = await diskCheck(join(folder, "a", "b", "cloud.db")).run();
    expect(finding?.text).toMatch(new RegExp(`MiB free at ${folder}$`));
  });
});

describe("ports", () => {
  it("name who listens there", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const check = listenersCheck({ proc: "/proc" }, [port]);
    const { result, text } = await problemOf(check);
    expect(result).toBe("warn");
    expect(text).toMatch(`${port}: in use by `);
    expect(text).toMatch(`(process ${process.pid})`);
    server.close();
    await once(server, "close");
    expect(await resultsOf(check)).toEqual(["ok"]);
  });

  it("are fine with a broker", async () => {
    const broker = await startMosquitto();
    try {
      const findings = await listenersCheck({ proc: "/proc" }, [broker.port]).run();
      expect(findings[0]?.text).toMatch(/^\d+: mosquitto \(process \d+\)$/);
    } finally {
      await broker.close();
    }
  });
});
