import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAudit } from "../../../cloud/audit/log.ts";
import { journalPath } from "../../../cloud/journal/journal.ts";
import type { Command } from "../../../cloud/store/commands.ts";
import { type ReplyContent, writeReplyContent } from "../../../cloud/store/reply-content.ts";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  ACTION_UPDATE,
  FORM_PLAIN,
  FORM_SEALED,
  FORM_SIGNED,
} from "../../../protocol/command-content.ts";
import { createCommandOpener } from "../../../protocol/command-message.ts";
import { STATUS_REFUSED, STATUS_STALE } from "../../../protocol/reply-message.ts";
import type { Update } from "../../../protocol/update-parameters.ts";
import { type OperatorBench, openOperatorBench } from "../support/operator-bench.ts";
import { hashOf } from "../support/store-bench.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import type { TestDevice } from "../support/test-device.ts";

const temporary = temporaryDirectories();
let bench: OperatorBench;
beforeEach(async () => {
  bench = await openOperatorBench(temporary());
});
afterEach(() => bench.close());

/** As the device reads it. */
function opened({ message }: Command, device: TestDevice = bench.device) {
  const opener = createCommandOpener(device.crypto);
  const parsed = opener.parse(message);
  const self = { key: device.crypto.openDeviceKey(), thumbprint: device.thumbprint };
  return { parsed, ...opener.open(parsed, self, bench.provisioner.publicKey) };
}

/** As `serve` stores a reply. */
function answer({ hash }: Command, reply: ReplyContent, counter: number) {
  const content = writeReplyContent(reply);
  const { kid: device } = bench.device;
  const stored = { device, counter, command: hash, content, at: 1, deleted: false };
  return bench.store.commitReply(stored, hashOf(`reply ${counter}`));
}

const CLAIM = "c".repeat(16) as Bytes;

describe("a command that is issued", () => {
  it.each([
    ["sealed", FORM_SEALED],
    ["signed", FORM_SIGNED],
    ["plain", FORM_PLAIN],
  ] as const)(
    "is %s as it says, and what the device reads is what the row says",
    async (form, number) => {
      const command = await bench.issue({ form });
      const { parsed, command: content, hash } = opened(command);
      expect(parsed.form).toBe(number);
      expect(parsed.leaf).toBe(form === "plain" ? undefined : bench.provisioner.certificate.der);
      expect(hash).toBe(command.hash);
      expect(content).toEqual({
        ...{ counter: command.counter, issued: command.issuedAt, expires: command.expiresAt },
        ...{ action: ACTION_REQUEST, deviceId: "boiler", userId: "ann" },
      });
      expect(command.message.includes("boiler")).toBe(form !== "sealed");
    },
  );

  it("carries claim, parameters and other actions sealed", async () => {
    const request = opened(await bench.issue({ claim: CLAIM, userId: "bob" })).command;
    expect(request).toMatchObject({ claim: CLAIM, userId: "bob" });
    const update = opened(await bench.issue({ action: "update", update: { roll: true } })).command;
    expect(update).toMatchObject({ action: ACTION_UPDATE, update: { roll: true } });
    const removal = opened(await bench.issue({ action: "delete" })).command;
    expect(removal.action).toBe(ACTION_DELETE);
  });

  it("names a device without an id by its key id, and takes text beyond ASCII", async () => {
    const bare = await bench.add(undefined);
    const device = await bench.known(bare);
    const command = await bench.issue({ device, userId: "J\u00fcrgen" });
    expect(opened(command, bare).command).toMatchObject({
      deviceId: bare.kidHex,
      userId: "J\u00c3\u00bcrgen",
    });
  });

  it("stands in the audit log and the journal before anybody has it", async () => {
    const { counter, form, hash, expiresAt } = await bench.issue({ form: "plain" });
    const database = new Database(bench.path, { readonly: true });
    const row = [...readAudit(database)].at(-1);
    database.close();
    expect(row).toMatchObject({ kind: "act", class: "command", kid: bench.device.kid });
    expect(JSON.parse(row?.details ?? "")).toEqual({
      ...{ action: "request", form, counter, hash: toHex(hash), expiresAt },
    });
    expect(readFileSync(journalPath(bench.path), "utf8")).toContain(`"counter":${counter}`);
  });
});

describe("no command", () => {
  it.each([
    ["for another user", { action: "update", userId: "bob", update: { roll: true } }, "argument"],
    ["for another user's device to delete", { action: "delete", userId: "bob" }, "argument"],
    ["with a claim that others would read", { form: "signed", claim: CLAIM }, "profile"],
    [
      "to another user in a form that others can make or read",
      { form: "signed", userId: "bob" },
      "argument",
    ],
    ["for a user id that is none", { userId: " " }, "argument"],
    ["of an unsealed update", { action: "update", form: "signed", update: {} }, "profile"],
    ["of an unsealed delete", { action: "delete", form: "plain" }, "profile"],
  ] as const)("is issued %s", async (_what, change, code) => {
    await expect(bench.issue(change)).rejects.toMatchObject({ code });
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
    expect((await bench.known()).state).toBe("registered");
  });

  it.each(["sealed", "signed"] as const)(
    "is %s without a key, nor sent in a weaker form",
    async (form) => {
      const issuing = bench.issue({ form }, { provisioner: undefined });
      await expect(issuing).rejects.toThrow(`expected a key for a ${form} command, got none`);
      expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
    },
  );

  it.each(["sealed", "signed", "plain"] as const)(
    "is issued %s where somebody took the device's key out of the registry",
    async (form) => {
      const device = await bench.known();
      const database = new Database(bench.path);
      database.pragma("foreign_keys = OFF");
      expect(database.prepare("DELETE FROM device").run().changes).toBe(1);
      database.close();
      await expect(bench.issue({ device, form })).rejects.toThrow(/got one that nobody knows/);
      expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
    },
  );

  it("is issued that no device could take in", async () => {
    const brokers = [1, 2, 3, 4].map((port) => ({
      ...{ host: "h".repeat(200) as Bytes, port, tls: false, maxQos: 2 as const },
    }));
    await expect(bench.issue({ action: "update", update: { brokers } })).rejects.toMatchObject({
      code: "size",
    });
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
  });

  it("is issued without the certificate of its signer to a device that may not have it", async () => {
    const update: Update = { cloudCertificate: "d".repeat(360) as Bytes };
    const long = () => bench.issue({ action: "update", update });
    await expect(long()).rejects.toThrow(/send a shorter one first/);
    const command = await bench.issue();
    await expect(long()).rejects.toThrow(/send a shorter one first/);
    await answer(command, { status: STATUS_STALE, detail: 1 }, 1);
    await expect(long()).rejects.toThrow(/send a shorter one first/);
    await answer(await bench.issue(), { status: STATUS_REFUSED, detail: 1 }, 2);
    const { parsed, command: content } = opened(await long());
    expect(parsed.leaf).toBeUndefined();
    expect(content.update).toEqual(update);
  });

  it("goes to a device that is closed, but for one more delete", async () => {
    await bench.issue({ action: "delete" });
    await expect(bench.issue()).rejects.toThrow(/expected one that is not deleted/);
    expect((await bench.issue({ action: "delete" })).action).toBe("delete");
    await bench.store.revokeDevice(bench.device.kid, 1);
    await expect(bench.issue({ action: "delete" })).rejects.toThrow(/not revoked/);
  });
});
