import { chmodSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fromPem, readCertificate } from "../../../cloud/ca/certificate.ts";
import { KEY_FILES } from "../../../cloud/keys/key-directory.ts";
import { PASSPHRASE_VARIABLE } from "../../../scripts/cli/passphrase.ts";
import { runCli } from "../../../scripts/cli/program.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { hex } from "../../support/cbor-oracle.ts";

const temporary = temporaryDirectories();
let dir: string;

beforeEach(async () => {
  dir = join(temporary(), "keys");
  await ca("init");
});
afterEach(() => vi.unstubAllEnvs());

async function runIn(directory: string, ...args: string[]) {
  const written = { out: "", error: "" };
  const code = await runCli(["ca", ...args, "--dir", directory], {
    out: (text) => {
      written.out += text;
    },
    error: (text) => {
      written.error += text;
    },
  });
  return { code, ...written };
}
const ca = (...args: string[]) => runIn(dir, ...args);

async function list(): Promise<Record<string, unknown>[]> {
  const { out } = await ca("list", "--json");
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
const ofRole = async (role: string) => (await list()).filter((entry) => entry.role === role);

describe("coseflow ca init and show", () => {
  it("makes keys once and shows the cloud's", async () => {
    const other = join(temporary(), "keys");
    const made = await runIn(other, "init");
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^04[0-9a-f]{128}\n$/) });
    expect(await runIn(other, "show", "--public-key")).toMatchObject({ code: 0, out: made.out });
    const again = await runIn(other, "init");
    expect(again).toMatchObject({ code: 1, out: "" });
    expect(again.error).toMatch(/^coseflow: .*never replaced\n$/);
  });

  it("shows public key and certificate of a role", async () => {
    for (const role of ["cloud", "registrar", "provisioner", "issuing"]) {
      const { code, out } = await ca("show", "--role", role);
      const [key, ...pem] = out.split("\n");
      expect(code).toBe(0);
      const certificate = fromPem(pem.join("\n"));
      expect(certificate.role).toBe(role);
      expect(certificate.publicKey).toBe(hex(key as string));
    }
    expect((await ca("show")).out).toBe((await ca("show", "--role", "cloud")).out);
    expect((await ca("show", "--role", "device")).code).toBe(2);
  });

  it("shows the anchor as the bytes that devices hold", async () => {
    const { code, out } = await ca("show", "--anchor");
    expect(code).toBe(0);
    expect(readCertificate(hex(out)).role).toBe("root");
    expect((await ca("show", "--anchor", "--role", "cloud")).code).toBe(2);
    expect((await ca("show", "--anchor", "--public-key")).code).toBe(2);
  });

  it("says what is missing", async () => {
    for (const args of [["show"], ["show", "--anchor"], ["list"], ["issue", "--role", "cloud"]]) {
      const { code, error } = await runIn(join(temporary(), "none"), ...args);
      expect(code).toBe(1);
      expect(error).toMatch(/^coseflow: .*coseflow ca init"\n$/);
    }
  });
});

describe("coseflow ca issue", () => {
  it("adds a key and certificate, which is shown from then on", async () => {
    const before = (await ca("show", "--public-key")).out;
    const { code, out } = await ca("issue", "--role", "cloud");
    expect(code).toBe(0);
    expect(out).toMatch(/^[0-9a-f]{18}\n$/);
    expect((await ca("show", "--public-key")).out).not.toBe(before);
    expect(readdirSync(dir)).toEqual(
      expect.arrayContaining(["cloud-1.key.pem", "cloud-2.key.pem", "cloud-2.cert.pem"]),
    );
    expect((await ofRole("cloud")).map(({ serial }) => serial)).toContain(out.trim());
  });

  it("needs the root's key, wherever it is kept", async () => {
    const elsewhere = join(temporary(), "root.pem");
    renameSync(join(dir, KEY_FILES.rootKey), elsewhere);
    const { code, error } = await ca("issue", "--role", "registrar");
    expect(code).toBe(1);
    expect(error).toContain(`expected at ${join(dir, KEY_FILES.rootKey)}`);
    expect(error).toContain("--root-key");
    expect((await ca("issue", "--role", "registrar", "--root-key", elsewhere)).code).toBe(0);
    chmodSync(elsewhere, 0o644);
    expect((await ca("issue", "--role", "registrar", "--root-key", elsewhere)).error).toMatch(
      /mode 600, got 644/,
    );
  });

  it("takes the passphrase from a file or the environment", async () => {
    const locked = join(temporary(), "keys");
    const file = join(temporary(), "passphrase");
    writeFileSync(file, "correct horse battery\n");
    expect((await runIn(locked, "init", "--passphrase-file", file)).code).toBe(0);
    const issue = ["issue", "--role", "provisioner"];
    expect((await runIn(locked, ...issue, "--passphrase-file", file)).code).toBe(0);
    vi.stubEnv(PASSPHRASE_VARIABLE, "correct horse battery");
    expect((await runIn(locked, ...issue)).code).toBe(0);
    vi.stubEnv(PASSPHRASE_VARIABLE, "another one altogether");
    const { code, error } = await runIn(locked, ...issue);
    expect(code).toBe(1);
    expect(error).toMatch(/^coseflow: private key, expected the passphrase/);
  });

  it("makes none for roles that are not the root's to make", async () => {
    for (const args of [["--role", "device"], ["--role", "root"], []])
      expect((await ca("issue", ...args)).code).toBe(2);
  });
});

describe("coseflow ca list and revoke", () => {
  it("lists role, serial, validity and state", async () => {
    expect((await list()).map(({ role, state }) => `${role} ${state}`).sort()).toEqual([
      "cloud valid",
      "issuing valid",
      "provisioner valid",
      "registrar valid",
      "root valid",
    ]);
    const { out } = await ca("list");
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^SERIAL +ROLE +STATE +FROM +UNTIL +SUBJECT$/);
    expect(lines[1]).toMatch(/^[0-9a-f]{18} {2}root +valid +\d{4}-.*Z +\d{4}-.*Z +CN=cf root$/);
  });

  it("says what to send to devices when a role's certificate is revoked", async () => {
    const [entry] = await ofRole("cloud");
    const { serial, notBefore } = entry as { serial: string; notBefore: number };
    await ca("issue", "--role", "cloud");
    const colons = (serial.match(/../g) as string[]).join(":").toUpperCase();
    const { code, out, error } = await ca("revoke", colons);
    expect(code).toBe(0);
    const bound = Number(out);
    expect(bound).toBe(notBefore + 1);
    expect(error).not.toContain("coseflow ca issue");
    const certificates = (await ofRole("cloud")) as { notBefore: number; state: string }[];
    // The bound lets the other one pass, and this one not.
    expect(certificates.map((one) => [one.state, one.notBefore >= bound])).toEqual([
      ["revoked", false],
      ["valid", true],
    ]);
  });

  it("says so when devices would have no certificate left to take", async () => {
    const [entry] = await ofRole("provisioner");
    const { code, error } = await ca("revoke", entry?.serial as string);
    expect(code).toBe(0);
    expect(error).toContain("coseflow ca issue --role provisioner");
    expect((await ca("show", "--role", "provisioner")).error).toMatch(/expected a valid/);
  });

  it("has nothing to send for an issuing CA", async () => {
    const [entry] = await ofRole("issuing");
    expect(await ca("revoke", entry?.serial as string)).toMatchObject({ code: 0, out: "" });
    expect((await ofRole("issuing"))[0]?.state).toBe("revoked");
  });

  it("refuses a serial number it does not know, and the root's", async () => {
    expect(await ca("revoke", "00ff")).toMatchObject({ code: 1, out: "" });
    const [root] = await ofRole("root");
    const { code, error } = await ca("revoke", root?.serial as string);
    expect(code).toBe(1);
    expect(error).toMatch(/below the root/);
  });

  it("tells of lines that do not read", async () => {
    writeFileSync(join(dir, KEY_FILES.issued), '{"event":"iss\n', { flag: "a" });
    const { code, error } = await ca("list");
    expect({ code, error }).toEqual({
      code: 0,
      error: "lines of the index that do not read: 1\n",
    });
  });
});
