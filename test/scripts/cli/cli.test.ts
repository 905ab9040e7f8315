import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brokerSettings } from "../../../scripts/cli/broker-settings.ts";
import { parseDeviceBrokers } from "../../../scripts/cli/parse.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { makeParty } from "../../support/parties.ts";
import { run } from "./run.ts";

const temporary = temporaryDirectories();

function publicKeyHex(): string {
  return Buffer.from(makeParty().publicKey, "latin1").toString("hex");
}

describe("coseflow", () => {
  it("prints help with examples and its version", async () => {
    const help = await run("--help");
    expect(help).toMatchObject({ code: 0, error: "" });
    expect(help.out).toContain("Examples:");
    for (const command of [
      ["ca", "init"],
      ["device", "register"],
      ["serve"],
      ["inspect"],
      ["doctor"],
    ])
      expect((await run(...command, "--help")).out, `${command}`).toMatch(/Examples?:/);
    expect(await run("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d/) });
  });

  it.each([
    [["bogus"]],
    [["device", "register"]],
    [["ca", "init", "--bogus"]],
    [["serve"]],
    [["serve", "--broker", "localhost"]],
    [["serve", "--broker", "http://localhost"]],
  ])("refuses %j with code 2 and one line", async (args) => {
    const { code, out, error } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(error).toMatch(/^coseflow: .*\n$/);
  });
});

describe("a broker's password in a URL", () => {
  it.each([
    ["serve", "--broker", "mqtt://user:s3cret@host:99999"],
    ["demo", "--broker", "https://user:s3cret@host"],
    ["simulate", "--broker", "mqtt://a", "--broker", "wss://user:s3cret@host"],
  ])("is not quoted back by %s", async (...args) => {
    const { code, error } = await run(...args);
    expect(code).toBe(2);
    expect(error).not.toContain("s3cret");
    expect(error).toContain("host");
  });
});

describe("a broker's URL for a device", () => {
  it.each([
    ["mqtt://h", { host: "h", port: 1883 }],
    ["mqtts://h", { host: "h", port: 8883, tls: true }],
    ["mqtts://[::1]:1", { host: "::1", port: 1, tls: true }],
    ["mqtt://u%20v:p%2F@h:2", { host: "h", port: 2, username: "u v", password: "p/" }],
  ])("%s becomes settings", (url, settings) => {
    expect(brokerSettings(url)).toEqual(settings);
  });

  it("may be given several times", () => {
    expect(parseDeviceBrokers("mqtts://b", parseDeviceBrokers("mqtt://a"))).toEqual([
      "mqtt://a",
      "mqtts://b",
    ]);
  });
});

describe("coseflow simulate", () => {
  const args = ["simulate", "--broker", "mqtt://127.0.0.1:9", "--directory"];

  it("refuses a directory without keys, before the device wakes up", async () => {
    const device = join(temporary(), "d");
    const { code, out, error } = await run(...args, device, "--keys", join(temporary(), "none"));
    expect({ code, out, made: existsSync(device) }).toEqual({ code: 1, out: "", made: false });
    expect(error).toMatch(/^coseflow: .*root\.cert\.pem, expected keys there, got none.*\n$/);
  });
});

describe("coseflow device", () => {
  it("registers from the command line and from files, and lists", async () => {
    const directory = temporary();
    const db = join(directory, "cloud.db");
    const key = publicKeyHex();
    const base64 = Buffer.from(key, "hex").toString("base64");
    writeFileSync(join(directory, "raw"), Buffer.from(key, "hex"));
    writeFileSync(join(directory, "text"), `${key}\n`);
    const { code, out: kid } = await run("device", "register", "--key", key, "--db", db);
    expect(code).toBe(0);
    expect(kid).toMatch(/^[0-9a-f]{16}\n$/);
    for (const same of [base64, join(directory, "raw"), join(directory, "text")])
      expect(await run("device", "register", "--key", same, "--name", "shed", "--db", db)).toEqual({
        code: 0,
        out: kid,
        error: "",
      });
    const list = await run("device", "list", "--json", "--db", db);
    expect(
      list.out
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ kid: kid.trim(), name: "shed", publicKey: key, sessions: 0, readings: 0 }]);
    expect((await run("device", "list", "--db", db)).out).toContain("shed");
  });

  it("refuses what is no key, in one line and without a stack trace", async () => {
    const directory = temporary();
    const db = join(directory, "cloud.db");
    const offCurve = `04${"11".repeat(64)}`;
    writeFileSync(join(directory, "empty"), "");
    for (const [key, problem] of [
      [offCurve, /point on P-256/],
      [join(directory, "none"), /no such file/],
      [join(directory, "empty"), /65 bytes/],
      [directory, /is a directory/],
    ] as const) {
      const { code, error } = await run("device", "register", "--key", key, "--db", db);
      expect(code).toBe(1);
      expect(error).toMatch(problem);
      expect(error).toMatch(/^coseflow: [^\n]*\n$/);
    }
  });

  it("refuses names that a terminal would obey", async () => {
    const db = join(temporary(), "cloud.db");
    const { code, error } = await run(
      ...["device", "register", "--key", publicKeyHex(), "--name", "\u001b[2J", "--db", db],
    );
    expect(code).toBe(1);
    expect(error).toMatch(/printable/);
  });

  it("explains a database that is none", async () => {
    const directory = temporary();
    const text = join(directory, "text.db");
    writeFileSync(text, "not a database, however long this text may be");
    for (const command of [
      ["device", "list"],
      ["inspect", "00"],
    ]) {
      const { code, error } = await run(...command, "--db", text);
      expect(code).toBe(1);
      expect(error).toBe(`coseflow: ${text}: is not a database\n`);
    }
  });
});

describe("coseflow serve", () => {
  it("refuses keys that others may read", async () => {
    const dir = join(temporary(), "keys");
    await run("ca", "init", "--dir", dir);
    chmodSync(dir, 0o755);
    const { code, error } = await run("serve", "--broker", "mqtt://127.0.0.1:1", "--keys", dir);
    expect(code).toBe(1);
    expect(error).toMatch(/^coseflow: .*mode 700/);
  });

  it("refuses a password file that is not there", async () => {
    const directory = temporary();
    mkdirSync(join(directory, "x"));
    const { code, error } = await run(
      ...["serve", "--broker", "mqtt://127.0.0.1:1", "--password-file", join(directory, "pw")],
    );
    expect(code).toBe(1);
    expect(error).toMatch(/^coseflow: .*pw: no such file/);
  });
});
