import { type ChildProcess, spawn } from "node:child_process";
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  type ECDH,
  hkdfSync,
  verify,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addonPath, describeAddon, makeStorePath } from "./addon.ts";
import { countInMemory } from "./memory.ts";

/** Where the private key lies in a record (native/core/record.c). */
const SECRET_AT = 17;

interface Message {
  publicKey: string;
  agreed: string;
  nonce: string;
  sealed: string;
  signature: string;
}

/** The keys of the session message, as the cloud learns them (RFC 9053 section 6.4.1). */
function openAsCloud(cloud: ECDH, message: Message): { cek: Buffer; session: Buffer } {
  const agreed = Buffer.from(message.agreed, "hex");
  const shared = cloud.computeSecret(agreed.subarray(0, 65));
  const kek = Buffer.from(hkdfSync("sha256", shared, "", "context", 16));
  const unwrap = createDecipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
  const cek = Buffer.concat([unwrap.update(agreed.subarray(65)), unwrap.final()]);
  const sealed = Buffer.from(message.sealed, "hex");
  const gcm = createDecipheriv("aes-128-gcm", cek, Buffer.from(message.nonce, "hex"));
  gcm.setAAD(Buffer.from("aad")).setAuthTag(sealed.subarray(-16));
  const plaintext = Buffer.concat([gcm.update(sealed.subarray(0, -16)), gcm.final()]);
  expect(plaintext.subarray(0, 6).toString()).toBe("prefix");
  return { cek, session: plaintext.subarray(6) };
}

function isSignedBy(publicKey: Buffer, message: Message): boolean {
  const x = publicKey.subarray(1, 33).toString("base64url");
  const y = publicKey.subarray(33).toString("base64url");
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const signature = Buffer.from(message.signature, "hex");
  const signed = Buffer.from(message.sealed, "hex");
  return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
}

/** The forms in which a secret could lie about in JavaScript. */
function otherForms(secret: Buffer): Buffer[] {
  return [
    Buffer.from(secret).reverse(),
    Buffer.from(secret.toString("latin1"), "utf16le"),
    Buffer.from(secret.toString("hex")),
    Buffer.from(secret.toString("base64")),
  ];
}

describeAddon("memory of a process with the native addon", () => {
  const store = makeStorePath();
  const cloud = createECDH("prime256v1");
  let child: ChildProcess;
  let lines: Interface;
  let message: Message;

  function nextLine(): Promise<string> {
    return new Promise((resolve, reject) => {
      lines.once("line", resolve);
      child.once("exit", (code) => reject(new Error(`child, expected a line, got exit ${code}`)));
    });
  }

  beforeAll(async () => {
    const script = fileURLToPath(new URL("memory-child.mjs", import.meta.url));
    const publicKey = cloud.generateKeys("hex");
    child = spawn(process.execPath, [script, addonPath, store.path, publicKey], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    message = JSON.parse(await nextLine());
  });

  afterAll(() => {
    child.kill();
    store.remove();
  });

  it.runIf(process.platform === "linux")(
    "holds each secret once, in its slot, and not at all after close",
    async () => {
      const record = readFileSync(join(store.path, "device-a"));
      const deviceSecret = record.subarray(SECRET_AT, SECRET_AT + 32);
      const own = createECDH("prime256v1");
      own.setPrivateKey(deviceSecret);
      const publicKey = own.getPublicKey();
      expect(publicKey.toString("hex")).toBe(message.publicKey);
      expect(isSignedBy(publicKey, message)).toBe(true);

      const { cek, session } = openAsCloud(cloud, message);
      const receipt = Buffer.from(hkdfSync("sha256", session, "", "receipt", 16));
      const secrets = [deviceSecret, cek, session, receipt];
      const pid = child.pid as number;
      expect(countInMemory(pid, secrets)).toEqual([1, 1, 1, 1]);
      const forms = secrets.flatMap(otherForms);
      expect(countInMemory(pid, forms)).toEqual(forms.map(() => 0));
      // The search itself is tested: what is no secret is found.
      expect(countInMemory(pid, [publicKey])[0]).toBeGreaterThan(0);

      const closed = nextLine();
      child.stdin?.write("close\n");
      expect(await closed).toBe("closed");
      expect(countInMemory(pid, secrets)).toEqual([0, 0, 0, 0]);
    },
  );
});
