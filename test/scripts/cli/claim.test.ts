import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { hashOfClaim } from "../../../cloud/claims.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import { toHex } from "../../../protocol/bytes.ts";
import { parseDuration } from "../../../scripts/cli/claim.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { makeParty } from "../../support/parties.ts";
import { run } from "./run.ts";

const temporary = temporaryDirectories();
let db: string;
beforeEach(() => {
  db = join(temporary(), "cloud.db");
});

const json = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe("coseflow claim", () => {
  it("prints a claim once and keeps only its hash", async () => {
    const made = await run("claim", "new", "--user", "ann", "--device", "boiler", "--db", db);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^[0-9a-f]{32}\n$/) });
    const claim = made.out.trim();
    const { out } = await run("claim", "list", "--json", "--db", db);
    const [only] = json(out);
    expect(only).toMatchObject({
      ...{ hash: toHex(hashOfClaim(claim)), state: "open", userId: "ann", deviceId: "boiler" },
      ...{ usedAt: null, usedBy: null },
    });
    expect(only.expiresAt - only.madeAt).toBe(3600);
    const table = await run("claim", "list", "--db", db);
    expect(table.out).toMatch(
      /^HASH +STATE +USER +DEVICE +EXPIRES +USED BY\n[0-9a-f]{16} +open +ann +boiler /,
    );
    for (const file of [db, `${db}.journal`]) {
      expect(readFileSync(file).includes(Buffer.from(claim, "hex"))).toBe(false);
      expect(readFileSync(file, "latin1")).not.toContain(claim);
    }
  });

  it("lists the devices that were refused of late, for who mistyped a claim", async () => {
    const store = openSqliteStore(db);
    const { kid } = makeParty();
    const now = Math.floor(Date.now() / 1000);
    await store.countRefusal("claim-unknown", "enrol", kid, now);
    await store.countRefusal("decrypt", "enrol", kid, now);
    await store.countRefusal("kid", "session", kid, now);
    await store.close();
    const { out } = await run("claim", "list", "--db", db);
    expect(out).toMatch(
      new RegExp(`\\n\\nREFUSED +REASON +WHEN\\n${toHex(kid)} +claim-unknown .*\\n$`),
    );
    expect(json((await run("claim", "list", "--json", "--db", db)).out)).toEqual([
      { kind: "refused", kid: toHex(kid), reason: "claim-unknown", at: expect.closeTo(now, -1) },
    ]);
  });

  it("gives JSON, and the time asked for", async () => {
    const args = ["claim", "new", "--user", "ann", "--expires", "2d", "--json", "--db", db];
    const [made] = json((await run(...args)).out);
    expect(made).toEqual({ claim: expect.stringMatching(/^[0-9a-f]{32}$/), expiresIn: 172_800 });
  });

  it.each([
    ["90s", 90],
    ["15m", 900],
    ["1h", 3600],
    ["30d", 2_592_000],
  ])("reads %s as %i seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(["0s", "31d", "1", "h", "-1h", "1w", "1h "])("refuses to expire in %j", async (text) => {
    const { code, error } = await run(
      "claim",
      "new",
      "--user",
      "a",
      `--expires=${text}`,
      "--db",
      db,
    );
    expect(code).toBe(2);
    expect(error).toMatch(/expected a time up to 30d/);
  });

  it.each(["", "\u001b[2J", " ann", "x".repeat(65)])("refuses the user %j", async (user) => {
    const { code, error } = await run("claim", "new", `--user=${user}`, "--db", db);
    expect(code).toBe(1);
    expect(error).toMatch(/^coseflow: user id, expected 1 to 64 bytes of printable text/);
    expect((await run("claim", "list", "--json", "--db", db)).out).toBe("");
  });
});

describe("coseflow device", () => {
  const publicKey = () => Buffer.from(makeParty().publicKey, "latin1").toString("hex");

  async function register(...args: string[]): Promise<string> {
    const { out } = await run("device", "register", "--key", publicKey(), ...args, "--db", db);
    return out.trim();
  }

  it("shows state and owner in list and show, found by each of its names", async () => {
    const kid = await register("--name", "shed", "--device", "boiler", "--user", "ann");
    const list = await run("device", "list", "--json", "--db", db);
    const shown = { kid, name: "shed", state: "registered", deviceId: "boiler", userId: "ann" };
    expect(json(list.out)).toMatchObject([shown]);
    expect((await run("device", "list", "--db", db)).out).toMatch(
      /^KID +NAME +STATE +DEVICE +USER .*\n\w{16} +shed +registered +boiler +ann /,
    );
    for (const name of [kid, "boiler", "shed"]) {
      const { out } = await run("device", "show", name, "--json", "--db", db);
      expect(json(out)).toMatchObject([{ ...shown, certificate: null }]);
    }
    expect((await run("device", "show", "shed", "--db", db)).out).toMatch(/^state +registered$/m);
  });

  it("revokes for ever, says so again, and keeps the key out", async () => {
    const key = publicKey();
    await run("device", "register", "--key", key, "--name", "shed", "--db", db);
    const first = await run("device", "revoke", "shed", "--db", db);
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/ revoked, for ever\n$/) });
    expect((await run("device", "revoke", "shed", "--db", db)).out).toMatch(/was revoked before/);
    const again = await run("device", "register", "--key", key, "--db", db);
    expect(again.code).toBe(1);
    expect(again.error).toMatch(/expected one that may be used, got one that was revoked/);
  });

  it("names no device it is not sure of", async () => {
    await register("--name", "twin");
    await register("--name", "twin");
    for (const [name, got] of [
      ["twin", /got 2 of that name: give the key id/],
      ["none", /got none of it/],
    ] as const) {
      const { code, error } = await run("device", "revoke", name, "--db", db);
      expect(code).toBe(1);
      expect(error).toMatch(got);
    }
    expect((await run("device", "list", "--db", db)).out).not.toContain("revoked");
  });

  it("refuses a device id that another one bears", async () => {
    await register("--device", "boiler");
    const { code, error } = await run(
      "device",
      "register",
      "--key",
      publicKey(),
      "--device",
      "boiler",
      "--db",
      db,
    );
    expect(code).toBe(1);
    expect(error).toMatch(/^coseflow: device id, expected a free one/);
  });
});
