import { chmodSync, copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCredential, openRoot } from "../../../cloud/ca/authority.ts";
import type { RootSignedRole } from "../../../cloud/ca/profile.ts";
import { createNodeCrypto } from "../../../cloud/crypto/node-crypto.ts";
import { initKeys, openIndex } from "../../../cloud/keys/cloud-keys.ts";
import { credentialFiles, KEY_FILES } from "../../../cloud/keys/key-directory.ts";
import { certificatesCheck } from "../../../scripts/doctor/certificates.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { problemOf, resultsOf } from "./bench.ts";

const temporary = temporaryDirectories();
const DAY_MS = 24 * 3600 * 1000;
const unixNow = () => Math.floor(Date.now() / 1000);

describe("certificates", () => {
  const ROLES = ["root", "cloud", "registrar", "provisioner", "issuing"];
  const CLOUD = credentialFiles("cloud", 1);

  async function keys(): Promise<string> {
    const directory = join(temporary(), "keys");
    await initKeys(directory, "correct horse");
    return directory;
  }

  async function issue(directory: string, role: RootSignedRole): Promise<void> {
    const crypto = createNodeCrypto();
    const root = openRoot(crypto, directory, { passphrase: "correct horse" });
    await makeCredential(crypto, directory, root, role, "correct horse", unixNow());
  }

  const checkIn = (directory: string, days: number) =>
    certificatesCheck(directory, () => Date.now() + days * DAY_MS);

  it("are fine as they are made, a line for the root and each role", async () => {
    const findings = await checkIn(await keys(), 0).run();
    expect(findings.map(({ result }) => result)).toEqual(ROLES.map(() => "ok"));
    expect(findings.map(({ text }) => text.split(":")[0])).toEqual(ROLES);
  });

  it("are fine without the keys that people keep elsewhere", async () => {
    const directory = await keys();
    rmSync(join(directory, KEY_FILES.rootKey));
    rmSync(join(directory, credentialFiles("provisioner", 1).key));
    expect(await resultsOf(checkIn(directory, 0))).toEqual(ROLES.map(() => "ok"));
  });

  it("are missed where there are none", async () => {
    const directory = join(temporary(), "keys");
    expect(await problemOf(checkIn(directory, 0))).toMatchObject({
      result: "warn",
      fix: `coseflow ca init --dir ${directory}`,
    });
  });

  it.each([
    KEY_FILES.kek,
    KEY_FILES.rootKey,
    KEY_FILES.issued,
    CLOUD.key,
    credentialFiles("registrar", 1).key,
    credentialFiles("issuing", 1).key,
    credentialFiles("provisioner", 1).key,
  ])("fail when others may read %s", async (name) => {
    const directory = await keys();
    chmodSync(join(directory, name), 0o640);
    expect(await problemOf(checkIn(directory, 0))).toMatchObject({
      result: "fail",
      text: expect.stringMatching(/mode 640, expected 600$/),
      fix: `chmod 600 ${join(directory, name)}`,
    });
  });

  it("fail when others may read an older key", async () => {
    const directory = await keys();
    await issue(directory, "cloud");
    chmodSync(join(directory, CLOUD.key), 0o644);
    const { fix } = await problemOf(checkIn(directory, 0));
    expect(fix).toBe(`chmod 600 ${join(directory, CLOUD.key)}`);
  });

  it("fail when others may enter their directory", async () => {
    const directory = await keys();
    chmodSync(directory, 0o755);
    const { fix } = await problemOf(checkIn(directory, 0));
    expect(fix).toBe(`chmod 700 ${directory}`);
  });

  it("fail when a key is another's, an older one too, or the KEK is not there", async () => {
    const [directory, other] = [await keys(), await keys()];
    await issue(directory, "cloud");
    copyFileSync(join(other, CLOUD.key), join(directory, CLOUD.key));
    const { text } = await problemOf(checkIn(directory, 0));
    expect(text).toMatch(/expected one for cloud-1.key.pem/);
    rmSync(join(directory, KEY_FILES.kek));
    expect((await problemOf(checkIn(directory, 0))).text).toMatch(/kek.bin: no/);
  });

  it.each(ROLES.slice(1) as RootSignedRole[])(
    "fail when the certificate of %s is another root's, or is not there",
    async (role) => {
      const [directory, other] = [await keys(), await keys()];
      const { certificate } = credentialFiles(role, 1);
      copyFileSync(join(other, certificate), join(directory, certificate));
      const { result, text } = await problemOf(checkIn(directory, 0));
      expect(result).toBe("fail");
      expect(text).toMatch(/expected one signed by the root, got another/);
      for (const file of Object.values(credentialFiles(role, 1))) rmSync(join(directory, file));
      const { fix } = await problemOf(checkIn(directory, 0));
      expect(fix).toBe(`coseflow ca issue --role ${role} --dir ${directory}`);
    },
  );

  it("are warned of before they expire, and fail then, each with how to renew it", async () => {
    const directory = await keys();
    const leaves = ["cloud", "registrar", "provisioner"];
    const problemsAt = async (days: number) =>
      (await checkIn(directory, days).run()).filter(({ result }) => result !== "ok");
    const [soon, late] = [await problemsAt(710), await problemsAt(731)];
    expect(soon.map(({ result, text }) => [result, text])).toEqual(
      leaves.map((role) => ["warn", expect.stringMatching(`^${role}: expires in \\d+ days`)]),
    );
    expect(late.map(({ result, text }) => [result, text])).toEqual(
      leaves.map((role) => ["fail", expect.stringMatching(`^${role}: expired on `)]),
    );
    const fixes = leaves.map((role) => `coseflow ca issue --role ${role} --dir ${directory}`);
    expect([soon, late].map((found) => found.map(({ fix }) => fix))).toEqual([fixes, fixes]);
  });

  it("count by the newest of each role, unless that is revoked", async () => {
    const directory = await keys();
    const crypto = createNodeCrypto();
    const root = openRoot(crypto, directory, { passphrase: "correct horse" });
    const later = unixNow() + 100 * (DAY_MS / 1000);
    for (const role of ["cloud", "registrar", "provisioner"] as const)
      await makeCredential(crypto, directory, root, role, "correct horse", later);
    expect(await resultsOf(checkIn(directory, 731))).toEqual(ROLES.map(() => "ok"));
    const newest = openIndex(directory)
      .list()
      .issued.findLast(({ role }) => role === "cloud");
    openIndex(directory).revoke(newest?.serial ?? "", later);
    expect((await problemOf(checkIn(directory, 731))).text).toMatch(/^cloud: expired on/);
  });

  it("fail before they begin: the clock is wrong", async () => {
    const early = await checkIn(await keys(), -1).run();
    expect(early.map(({ text }) => text)).toEqual(
      ROLES.map((role) => expect.stringMatching(`^${role}: not valid before`)),
    );
  });
});
