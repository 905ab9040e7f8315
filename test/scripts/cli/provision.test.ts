import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FORM_PLAIN, FORM_SEALED, FORM_SIGNED } from "../../../protocol/command-content.ts";
import { createCommandOpener } from "../../../protocol/command-message.ts";
import {
  REASON_SETTINGS,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_POLICY,
  STATUS_REFUSED,
} from "../../../protocol/reply-message.ts";
import { type Answer, done, type Obedient } from "../../cloud/support/command-device.ts";
import { CLI } from "../../support/built.ts";
import { fromBinary } from "../../support/cbor-oracle.ts";
import { ADDRESSEE, provisionBench } from "./provision-bench.ts";
import { run } from "./run.ts";

const bench = provisionBench();
const { file, listen, place, provision } = bench;

const formOf = ({ messages }: Obedient) =>
  createCommandOpener(bench.device.crypto).parse(fromBinary(messages[0] as Buffer)).form;

describe("coseflow provision request", () => {
  it("is done when the device has said so", async () => {
    const { opened } = await listen(done);
    const { code, out, error } = await provision("request");
    expect([code, out]).toEqual([0, expect.stringMatching(/^request \d+: done\n$/)]);
    expect(error).toMatch(/^request \d+ stored, sealed\nsent to mqtt:\/\/127/);
    expect(opened[0]?.command).toMatchObject({ deviceId: "boiler", userId: "ann" });
  });

  it("gives one line of JSON", async () => {
    const { opened } = await listen(done);
    const { out } = await provision("request", "--json", "--expires", "5m");
    const line = JSON.parse(out);
    expect(line).toEqual({
      ...{ kid: bench.device.kidHex, deviceId: "boiler", userId: "ann", action: "request" },
      ...{ counter: opened[0]?.command.counter, form: "sealed", state: "replied", done: true },
      ...{ hash: expect.stringMatching(/^[0-9a-f]{64}$/), status: "done", detail: 0 },
      ...{ issuedAt: expect.any(Number), expiresAt: line.issuedAt + 300 },
      repliedAt: expect.any(Number),
    });
  });

  it("carries the claim of a file", async () => {
    const { opened } = await listen(done);
    const claim = (await run("claim", "new", "--user", "ann", "--db", bench.db)).out;
    await provision("request", "--claim-file", file("claim", claim));
    expect(opened[0]?.command.claim).toBe(fromBinary(Buffer.from(claim.trim(), "hex")));
    const wrong = await provision("request", "--claim-file", file("claim", "secret words"));
    expect(wrong.code).toBe(1);
    expect(wrong.error).not.toContain("secret");
  });

  it("has the form of the policy, a preset's or a board file's", async () => {
    const policies = [
      ["standard", [], FORM_SIGNED],
      [file("board.json", '{"name":"b","provisioning":"standard"}'), [], FORM_SIGNED],
      [file("none.json", '{"name":"b"}'), [], FORM_SEALED],
      [file("open.json", '{"provisioning":{"request":"plain"}}'), ["--plain"], FORM_PLAIN],
    ] as const;
    for (const [policy, more, form] of policies) {
      const obedient = await listen(done);
      expect((await provision("request", "--policy", policy, ...more)).code).toBe(0);
      expect(formOf(obedient)).toBe(form);
      await obedient.close();
    }
  });

  it("is plain only when both policy and operator say so, and then audited", async () => {
    const open = file("open.json", '{"provisioning":{"request":"plain"}}');
    const without = await provision("request", "--policy", open);
    expect(without.code).toBe(1);
    expect(without.error).toContain("expected --plain");
    expect((await provision("request", "--plain")).error).toContain(
      "policy high-security says sealed",
    );
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
    await listen(done);
    // Whatever keys there are: none is needed.
    rmSync(bench.keys, { recursive: true });
    await provision("request", "--policy", open, "--plain");
    const { out } = await run("audit", "tail", "--json", "--db", bench.db);
    expect(out).toContain('"form":"plain"');
  });

  it("asks for the passphrase of the provisioner's key, in a file or the environment", async () => {
    rmSync(bench.keys, { recursive: true });
    const passphrase = file("passphrase", "correct horse battery\n");
    await run("ca", "init", "--dir", bench.keys, "--passphrase-file", passphrase);
    await listen(done);
    expect((await provision("request", "--passphrase-file", passphrase)).code).toBe(0);
    const wrong = await provision(
      "request",
      "--passphrase-file",
      file("wrong", "wrong horse battery"),
    );
    expect([wrong.code, wrong.error]).toEqual([1, expect.stringContaining("got another")]);
    expect(await bench.store.listCommands(bench.device.kid)).toHaveLength(1);
  });

  it("never becomes weaker for want of a key: the error names the policy", async () => {
    rmSync(join(bench.keys, "provisioner-1.key.pem"));
    const sealed = await provision("request");
    expect(sealed.code).toBe(1);
    expect(sealed.error).toMatch(
      /provisioner-1.key.pem.*policy high-security wants "request" sealed/,
    );
    rmSync(join(bench.keys, "provisioner-1.cert.pem"));
    const signed = await provision("request", "--policy", "standard");
    expect(signed.error).toMatch(
      /valid certificate of provisioner.*policy standard wants "request" signed/,
    );
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
  });
});

describe("the built program", () => {
  function start(...args: string[]): ChildProcess & { said: () => string } {
    const child = spawn(process.execPath, [CLI, "provision", ...args], { stdio: "pipe" });
    bench.closeLater(() => child.kill("SIGKILL"));
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => {
        said += text;
      });
    return Object.assign(child, { said: () => said });
  }
  async function codeOf(child: ChildProcess): Promise<number | null> {
    const [code] = await once(child, "exit");
    return code;
  }

  it("exits with 0 for done, 1 for refused, 2 for a wrong command line", async () => {
    const answers: ReturnType<Answer>[] = [
      { status: STATUS_DONE, detail: 0 },
      { status: STATUS_REFUSED, detail: REASON_SETTINGS },
    ];
    await listen(() => answers.shift());
    expect(await codeOf(start("request", ...ADDRESSEE, ...place()))).toBe(0);
    const refused = start("update", ...ADDRESSEE, ...place(), "--roll");
    expect(await codeOf(refused)).toBe(1);
    expect(refused.said()).toContain("refused: the board cannot work with these settings");
    expect(await codeOf(start("update", ...ADDRESSEE, ...place()))).toBe(2);
    expect(await codeOf(start("request", "--device", "boiler", ...place()))).toBe(2);
  });

  it("leaves, when it is killed, a command that can be sent again", async () => {
    const child = start("request", ...ADDRESSEE, ...place());
    await expect.poll(() => child.said()).toContain("stored, sealed");
    child.kill("SIGKILL");
    await codeOf(child);
    const { opened } = await listen(done);
    const again = ["--device", "boiler", "--broker", bench.url, "--db", bench.db];
    expect((await run("provision", "resend", ...again)).code).toBe(0);
    const [command] = await bench.store.listCommands(bench.device.kid);
    expect(opened[0]?.hash).toBe(command?.hash);
  });

  it("says on Ctrl-C that the command stays issued, and how to ask again", async () => {
    const child = start("delete", ...ADDRESSEE, ...place());
    await expect.poll(() => child.said()).toContain("stored, sealed");
    const [command] = await bench.store.listCommands(bench.device.kid);
    child.kill("SIGINT");
    expect(await codeOf(child)).toBe(1);
    expect(child.said()).toContain(`stopped waiting: delete ${command?.counter} stays issued`);
    expect(child.said()).toContain(`coseflow provision status --device ${bench.device.kidHex}`);
    expect(child.said()).toContain(`coseflow device revoke ${bench.device.kidHex}`);
  });
});

describe("coseflow provision delete", () => {
  it("is unconfirmed without a reply, and can be sent again", async () => {
    const { code, out, error } = await provision("delete", "--timeout", "1s");
    expect([code, out]).toEqual([1, expect.stringMatching(/^delete \d+: unconfirmed\n$/)]);
    expect(error).toContain("is unconfirmed");
    expect(await bench.store.findDevice(bench.device.kid)).toMatchObject({ state: "deleting" });
    const { opened } = await listen(() => ({ status: STATUS_DELETED, detail: 0 }));
    const again = ["--device", bench.device.kidHex, "--broker", bench.url, "--db", bench.db];
    const resent = await run("provision", "resend", ...again);
    expect([resent.code, resent.out]).toEqual([0, out.replace("unconfirmed", "deleted")]);
    expect(opened).toHaveLength(1);
    expect(await bench.store.findDevice(bench.device.kid)).toMatchObject({ state: "deleted" });
    expect((await provision("delete")).code).toBe(1);
  });
});

describe("coseflow provision resend", () => {
  it("sends nothing whose time is over, and nothing that was never issued", async () => {
    const again = ["--device", "boiler", "--broker", bench.url, "--db", bench.db];
    const none = await run("provision", "resend", ...again);
    expect([none.code, none.error]).toEqual([
      1,
      expect.stringMatching(/expected one.*got none\n$/),
    ]);
    const { out } = await provision("request", "--expires", "1s", "--timeout", "3s");
    expect(out).toMatch(/^request \d+: expired\n$/);
    const late = await run("provision", "resend", ...again);
    expect([late.code, late.error]).toEqual([1, expect.stringContaining("issue a new one")]);
    const other = await run("provision", "resend", ...again, "--counter", "7");
    expect(other.error).toContain("got none of counter 7");
  });

  it("shows the reply that has come meanwhile, and sends nothing", async () => {
    const { messages } = await listen(done);
    const { out } = await provision("request");
    const again = ["--device", "boiler", "--broker", bench.url, "--db", bench.db];
    expect(await run("provision", "resend", ...again)).toMatchObject({ code: 0, out });
    expect(messages).toHaveLength(1);
  });
});

describe("coseflow provision status", () => {
  it("shows each command with what became of it", async () => {
    await listen(({ command: { userId } }) =>
      userId === "bob" ? undefined : { status: STATUS_POLICY, detail: FORM_SEALED },
    );
    await provision("request", "--policy", "standard");
    await run(
      "provision",
      "request",
      "--device",
      "boiler",
      "--user",
      "bob",
      ...place(),
      "--timeout",
      "1s",
    );
    const { out } = await run("provision", "status", "--db", bench.db);
    expect(out.split("\n")[0]).toMatch(/^DEVICE +COUNTER +ACTION +FORM +ISSUED +EXPIRES +RESULT$/);
    expect(out).toMatch(
      /boiler +\d+ +request +signed .* policy: its policy takes "request" sealed/,
    );
    expect(out).toMatch(/boiler +\d+ +request +sealed .* unconfirmed\n/);
    const json = await run("provision", "status", "--device", "boiler", "--json", "--db", bench.db);
    const lines = json.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ state, status }) => [state, status])).toEqual([
      ["replied", "policy"],
      ["unconfirmed", null],
    ]);
  });
});

describe("no command is issued", () => {
  it.each([
    ["an unknown device", ["--device", "oven", "--user", "ann"], /got none of it/],
    ["another user's device", ["--device", "boiler", "--user", "bob"], /user id, expected that of/],
  ])("for %s", async (_what, addressee, message) => {
    const { code, error } = await run("provision", "delete", ...addressee, ...place());
    expect(code).toBe(1);
    expect(error).toMatch(message);
    expect(await bench.store.findDevice(bench.device.kid)).toMatchObject({ state: "registered" });
  });

  it("when the broker does not answer", async () => {
    const away = [
      "--broker",
      "mqtt://ann:secret@127.0.0.1:9",
      "--keys",
      bench.keys,
      "--db",
      bench.db,
    ];
    const { code, error } = await run("provision", "delete", ...ADDRESSEE, ...away);
    expect([code, error]).toEqual([1, expect.stringContaining("connection refused")]);
    expect(error).not.toContain("secret");
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
  });
});
