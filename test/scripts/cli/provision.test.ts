import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { validCertificates } from "../../../cloud/keys/credentials.ts";
import { openSqliteStore } from "../../../cloud/store/sqlite.ts";
import type { Store } from "../../../cloud/store/store.ts";
import { FORM_PLAIN, FORM_SEALED, FORM_SIGNED } from "../../../protocol/command-content.ts";
import { createCommandOpener } from "../../../protocol/command-message.ts";
import {
  REASON_SETTINGS,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_POLICY,
  STATUS_REFUSED,
} from "../../../protocol/reply-message.ts";
import type { Update } from "../../../protocol/update-parameters.ts";
import {
  type Answer,
  done,
  type Obedient,
  obey,
  storeReplies,
} from "../../cloud/support/command-device.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { openTestDevice, type TestDevice } from "../../cloud/support/test-device.ts";
import { CLI } from "../../support/built.ts";
import { fromBinary } from "../../support/cbor-oracle.ts";
import { type Mosquitto, startMosquitto } from "../../support/mosquitto.ts";
import { run } from "./run.ts";

const temporary = temporaryDirectories();
const LONG = 30_000;
let broker: Mosquitto;
let keys: string;
let directory: string;
let db: string;
let device: TestDevice;
let store: Store;
let replies: Awaited<ReturnType<typeof storeReplies>>;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  broker = await startMosquitto();
});
afterAll(() => broker?.close());
beforeEach(async () => {
  directory = temporary();
  [keys, db] = [join(directory, "keys"), join(directory, "cloud.db")];
  device = openTestDevice();
  await run("ca", "init", "--dir", keys);
  const key = ["--key", device.publicKey, "--device", "boiler", "--user", "ann"];
  await run("device", "register", ...key, "--db", db);
  store = openSqliteStore(db);
  replies = await storeReplies(broker.url, store, [device]);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await replies.close();
  await store.close();
  device.close();
});

async function listen(answer: Answer): Promise<Obedient> {
  const [{ certificate }] = validCertificates(keys, "provisioner", Date.now() / 1000);
  const obedient = await obey({
    ...{ url: broker.url, device, cloud: replies.cloud, answer },
    provisioner: certificate.publicKey,
  });
  closers.push(obedient.close);
  return obedient;
}

const ADDRESSEE = ["--device", "boiler", "--user", "ann"];
const place = () => ["--broker", broker.url, "--keys", keys, "--db", db];
const provision = (action: string, ...args: string[]) =>
  run("provision", action, ...ADDRESSEE, ...place(), ...args);
const formOf = ({ messages }: Obedient) =>
  createCommandOpener(device.crypto).parse(fromBinary(messages[0] as Buffer)).form;

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

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
      ...{ kid: device.kidHex, deviceId: "boiler", userId: "ann", action: "request" },
      ...{ counter: opened[0]?.command.counter, form: "sealed", state: "replied", done: true },
      ...{ hash: expect.stringMatching(/^[0-9a-f]{64}$/), status: "done", detail: 0 },
      ...{ issuedAt: expect.any(Number), expiresAt: line.issuedAt + 300 },
      repliedAt: expect.any(Number),
    });
  });

  it("carries the claim of a file", async () => {
    const { opened } = await listen(done);
    const claim = (await run("claim", "new", "--user", "ann", "--db", db)).out;
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
    expect(await store.listCommands(device.kid)).toEqual([]);
    await listen(done);
    // Whatever keys there are: none is needed.
    rmSync(keys, { recursive: true });
    await provision("request", "--policy", open, "--plain");
    const { out } = await run("audit", "tail", "--json", "--db", db);
    expect(out).toContain('"form":"plain"');
  });

  it("never becomes weaker for want of a key: the error names the policy", async () => {
    rmSync(join(keys, "provisioner-1.key.pem"));
    const sealed = await provision("request");
    expect(sealed.code).toBe(1);
    expect(sealed.error).toMatch(
      /provisioner-1.key.pem.*policy high-security wants "request" sealed/,
    );
    rmSync(join(keys, "provisioner-1.cert.pem"));
    const signed = await provision("request", "--policy", "standard");
    expect(signed.error).toMatch(
      /valid certificate of provisioner.*policy standard wants "request" signed/,
    );
    expect(await store.listCommands(device.kid)).toEqual([]);
  });
});

describe("coseflow provision update", () => {
  const BOARD = JSON.stringify({
    sensors: [
      { driver: "host", periodSeconds: 2, qos: 1 },
      { driver: "sht3x", periodSeconds: 10, qos: 0, drop: "newest" },
    ],
  });

  /** What the device reads of an update with these options. */
  async function updateOf(...args: string[]): Promise<Update | undefined> {
    const { opened, close } = await listen(done);
    const { code } = await provision("update", ...args);
    await close();
    expect(code).toBe(0);
    return opened[0]?.command.update;
  }

  it("says of a sensor what the options say, and otherwise what its board file says", async () => {
    const board = ["--board", file("board.json", BOARD)];
    expect(await updateOf(...board, "--period", "sht3x=60", "--drop", "0=newest")).toEqual({
      sensors: [
        { sensor: 1, periodSeconds: 60, qos: 0, drop: "newest" },
        { sensor: 0, periodSeconds: 2, qos: 1, drop: "newest" },
      ],
    });
    const all = ["--period", "7=30", "--qos", "7=0", "--drop", "7=oldest"];
    expect(await updateOf(...all)).toEqual({
      sensors: [{ sensor: 7, periodSeconds: 30, qos: 0, drop: "oldest" }],
    });
  });

  it("takes networks and brokers with their passwords from files", async () => {
    const networks = ["--wifi", "home", "--wifi", "guests"];
    const brokers = ["mqtts://desk@broker.example?maxQos=1", "mqtt://spare.example:2883"];
    const update = await updateOf(
      ...[...networks, "--wifi-password-file", file("wifi", "correct horse\n\n")],
      ...brokers.flatMap((url) => ["--device-broker", url]),
      ...["--device-broker-password-file", file("broker", "pw\n\n")],
    );
    const first = { host: "broker.example", port: 8883, username: "desk", password: "pw" };
    expect(update).toEqual({
      wifi: [
        { ssid: "home", password: "correct horse" },
        { ssid: "guests", password: "" },
      ],
      brokers: [
        { ...first, tls: true, maxQos: 1 },
        { host: "spare.example", port: 2883, tls: false, maxQos: 2 },
      ],
    });
  });

  it("hands certificates over, bounds, a counter and the order for a new key", async () => {
    const der = (role: "cloud" | "registrar") =>
      validCertificates(keys, role, Date.now() / 1000)[0].certificate.der;
    expect((await provision("update", "--cloud-certificate")).error).toContain(
      "a shorter one first",
    );
    expect(await updateOf("--roll")).toEqual({ roll: true });
    expect(await updateOf("--cloud-certificate")).toEqual({ cloudCertificate: der("cloud") });
    const registrar = join(keys, "registrar-1.cert.pem");
    const bounds = ["cloud=1000", "provisioner=2001-09-09T01:46:40Z"];
    expect(
      await updateOf(
        ...["--registrar-certificate", registrar, "--counter", "70000", "--roll"],
        ...bounds.flatMap((bound) => ["--issued-not-before", bound]),
      ),
    ).toEqual({
      registrarCertificate: der("registrar"),
      issuedNotBefore: { cloud: 1000, registrar: 0, provisioner: 1_000_000_000 },
      ...{ deviceCounter: 70_000, roll: true },
    });
    const other = await provision("update", "--cloud-certificate", registrar);
    expect(other.error).toContain("expected a certificate of cloud, got one of registrar");
  });

  it("says when it is too long for one message", async () => {
    const { code, error } = await provision(
      ...(["update", "--cloud-certificate", "--registrar-certificate"] as const),
      ...["--wifi", "n".repeat(31), "--wifi-password-file", file("wifi", "p".repeat(63))],
    );
    expect([code, error]).toEqual([1, expect.stringMatching(/at most 1024.*several commands/)]);
    expect(await store.listCommands(device.kid)).toEqual([]);
  });
});

describe("the built program", () => {
  function start(...args: string[]): ChildProcess & { said: () => string } {
    const child = spawn(process.execPath, [CLI, "provision", ...args], { stdio: "pipe" });
    closers.push(() => child.kill("SIGKILL"));
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

  it("says on Ctrl-C that the command stays issued, and how to ask again", async () => {
    const child = start("delete", ...ADDRESSEE, ...place());
    await expect.poll(() => child.said(), { timeout: LONG }).toContain("stored, sealed");
    const [command] = await store.listCommands(device.kid);
    child.kill("SIGINT");
    expect(await codeOf(child)).toBe(1);
    expect(child.said()).toContain(`stopped waiting: delete ${command?.counter} stays issued`);
    expect(child.said()).toContain(`coseflow provision status --device ${device.kidHex}`);
    expect(child.said()).toContain(`coseflow device revoke ${device.kidHex}`);
  });
});

describe("coseflow provision delete", () => {
  it("is unconfirmed without a reply, and can be sent again", async () => {
    const { code, out, error } = await provision("delete", "--timeout", "1s");
    expect([code, out]).toEqual([1, expect.stringMatching(/^delete \d+: unconfirmed\n$/)]);
    expect(error).toContain("is unconfirmed");
    expect(await store.findDevice(device.kid)).toMatchObject({ state: "deleting" });
    const { opened } = await listen(() => ({ status: STATUS_DELETED, detail: 0 }));
    const again = ["--device", device.kidHex, "--broker", broker.url, "--db", db];
    const resent = await run("provision", "resend", ...again);
    expect([resent.code, resent.out]).toEqual([0, out.replace("unconfirmed", "deleted")]);
    expect(opened).toHaveLength(1);
    expect(await store.findDevice(device.kid)).toMatchObject({ state: "deleted" });
    expect((await provision("delete")).code).toBe(1);
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
    const { out } = await run("provision", "status", "--db", db);
    expect(out.split("\n")[0]).toMatch(/^DEVICE +COUNTER +ACTION +FORM +ISSUED +EXPIRES +RESULT$/);
    expect(out).toMatch(
      /boiler +\d+ +request +signed .* policy: its policy takes "request" sealed/,
    );
    expect(out).toMatch(/boiler +\d+ +request +sealed .* unconfirmed\n/);
    const json = await run("provision", "status", "--device", "boiler", "--json", "--db", db);
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
    expect(await store.findDevice(device.kid)).toMatchObject({ state: "registered" });
  });

  it("when the broker does not answer", async () => {
    const away = ["--broker", "mqtt://ann:secret@127.0.0.1:9", "--keys", keys, "--db", db];
    const { code, error } = await run("provision", "delete", ...ADDRESSEE, ...away);
    expect([code, error]).toEqual([1, expect.stringContaining("connection refused")]);
    expect(error).not.toContain("secret");
    expect(await store.listCommands(device.kid)).toEqual([]);
  });

  it("when it would lock the device out", async () => {
    const [{ certificate }] = validCertificates(keys, "provisioner", Date.now() / 1000);
    const bound = ["--issued-not-before", `provisioner=${certificate.notBefore + 1}`];
    const { code, error } = await provision("update", ...bound);
    expect([code, error]).toEqual([1, expect.stringContaining("ca issue --role provisioner")]);
  });

  it.each([
    ["--period 0=30", /sensor 0, expected --period, --qos and --drop/],
    ["--period host=30", /--board/],
    ["--period 0=0 --qos 0=1 --drop 0=oldest", /--period, expected 1 to 604800/],
    ["--wifi home", /Wi-Fi passwords, expected 1/],
    ["--period 0", /SENSOR=VALUE/],
    ["--device-broker http://x", /mqtt/],
    ["--issued-not-before device=5", /cloud, registrar, provisioner/],
    ["--counter 4294967296", /whole number from 1 to 4294967295/],
    ["--policy nothing", /high-security, standard or a file/],
    ["", /something to change/],
  ])("for update %s, which is a wrong command line", async (args, message) => {
    const { code, error } = await provision("update", ...args.split(" ").filter(Boolean));
    expect(error).toMatch(message);
    expect(code).toBe(2);
    expect(await store.listCommands(device.kid)).toEqual([]);
  });
});
