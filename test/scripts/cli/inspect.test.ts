import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../scripts/cli/program.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { celsius, openTestDevice, type TestDevice, wire } from "../../cloud/support/test-device.ts";
import { CLI } from "../../support/built.ts";
import { freePort } from "../../support/free-port.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { type KeptCloud, openKeptCloud } from "../inspect/kept-cloud.ts";

const temporary = temporaryDirectories();

let directory: string;
let cloud: KeptCloud;
let device: TestDevice;
let message: Buffer;

beforeEach(async () => {
  directory = temporary();
  cloud = await openKeptCloud(directory);
  device = openTestDevice();
  await cloud.register(device, "desk");
  message = wire(device.openSession(cloud.self.publicKey).message);
});

afterEach(async () => {
  device.close();
  await cloud.close();
});

async function run(...args: string[]) {
  const written = { out: "", error: "" };
  const code = await runCli(["inspect", ...args], {
    out: (text) => {
      written.out += text;
    },
    error: (text) => {
      written.error += text;
    },
  });
  return { code, ...written };
}

const evidence = () => ["--keys", cloud.keys, "--db", cloud.db];

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe("coseflow inspect", () => {
  it("shows a message and what holds of it", async () => {
    const { code, out, error } = await run(message.toString("hex"), ...evidence());
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toMatch(/^message of 25\d bytes\n\n18\(\[\n {2}<< \{1: -7, 4: h'/);
    expect(out).toMatch(/96\(\[\n {4}<< \{1: 1, 4: h'01'\} >>/);
    expect(out).toMatch(/h'[0-9a-f]{24}\.\.\.[0-9a-f]{8}' \/ 64 bytes \//);
    expect(out).toMatch(/^signature +ok +of [0-9a-f]{16} "desk", for class session$/m);
    expect(out).toMatch(/^ {2}key: 16 bytes, secret$/m);
    expect(out).not.toContain("\u001b");
  });

  it("gives the same as one line of JSON, byte strings whole when asked to", async () => {
    const { code, out } = await run(message.toString("base64"), "--json", "--full", ...evidence());
    expect(code).toBe(0);
    expect(out.trimEnd()).not.toContain("\n");
    const report = JSON.parse(out);
    expect(report).toMatchObject({ class: "session", bytes: message.length, sound: true });
    expect(report.diagnostic.replaceAll(/\s/g, "")).toContain(
      message.subarray(-64).toString("hex"),
    );
  });

  it("takes a file of bytes, of hexadecimal and of base64", async () => {
    const hex = message.toString("hex");
    for (const content of [
      message,
      hex,
      `0x${hex.toUpperCase()}\n`,
      `h'${hex}'`,
      hex.replaceAll(/(..)/g, "$1 "),
      message.toString("base64").replaceAll(/(.{64})/g, "$1\n"),
      message.toString("base64url"),
    ]) {
      const { code, out } = await run("--file", file("message", content), "--json");
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ class: "session", bytes: message.length });
    }
  });

  it("reads standard input, and shows no key with any option", async () => {
    const child = spawn(process.execPath, [CLI, "inspect", "--full"], { cwd: directory });
    let out = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stdin.end(message.toString("hex"));
    const [code] = await once(child, "close");
    expect(code).toBe(0);
    expect(out).toMatch(/^recipient +unknown +[0-9a-f]{16}; needs the cloud's private key/m);
  });

  it("ends with 1 when a layer fails", async () => {
    message[message.length - 1] = (message.at(-1) as number) ^ 1;
    const { code, out, error } = await run(message.toString("hex"), ...evidence());
    expect({ code, error }).toEqual({ code: 1, error: "" });
    expect(out).toMatch(/^signature +fail +signature: /m);
    const cut = await run(message.subarray(0, 100).toString("hex"));
    expect(cut.code).toBe(1);
    expect(cut.out).toMatch(/^form +fail +cbor: CBOR at byte \d+, expected \d+ more bytes/m);
  });

  it.each([
    ["abc", /even number of digits, got 3/],
    ["not a message!", /other text/],
    ["  ", /got nothing/],
    ["G", /hexadecimal or base64/],
  ])("explains the message %j in one line", async (given, problem) => {
    const { code, out, error } = await run(given);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toMatch(problem);
    expect(error).toMatch(/^coseflow: [^\n]*\n$/);
  });

  it("explains files that hold no message", async () => {
    for (const [path, problem] of [
      [join(directory, "none"), /none: no such file/],
      [directory, /directory/],
      [file("empty", ""), /got nothing/],
      [file("large", Buffer.alloc(300_000, 0xff)), /at most 262144 bytes/],
    ] as const) {
      const { code, error } = await run("--file", path);
      expect(code).toBe(1);
      expect(error).toMatch(problem);
      expect(error).toMatch(/^coseflow: [^\n]*\n$/);
    }
  });

  it.each([
    [["00", "--file", "x"]],
    [["00", "--broker", "mqtt://localhost"]],
    [["--broker", "mqtt://localhost", "--file", "x"]],
    [["--broker", "localhost"]],
    [["00", "--class", "bogus"]],
    [["00", "--device-key", "04ff"]],
    [["--count", "0"]],
  ])("refuses %j with code 2", async (args) => {
    const { code, error } = await run(...args);
    expect(code).toBe(2);
    expect(error).toMatch(/^coseflow: [^\n]*\n$/);
  });
});

describe("coseflow inspect --broker", () => {
  it("judges what comes on a topic, by that topic", async () => {
    const broker = await startMosquitto();
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
    try {
      // Retained, so that it does not matter which of the two is there first.
      await client.publishAsync(device.topic("session"), message, { qos: 1, retain: true });
      await client.publishAsync("cf/1/other", "\u001b[2J", { qos: 1, retain: true });
      const good = ["--broker", broker.url, "--topic", "cf/1/+/session", "--count", "1"];
      const { code, out } = await run(...good, "--json", ...evidence());
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ topic: device.topic("session"), sound: true });
      const all = await run("--broker", broker.url, "--count", "2");
      expect(all.code).toBe(1);
      expect(all.out).toMatch(/^class +fail +topic: /m);
      expect(all.out).not.toContain("\u001b");
    } finally {
      await client.endAsync(true);
      await broker.close();
    }
  });

  it("takes a reading of a stored session", async () => {
    const broker = await startMosquitto();
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
    try {
      const session = device.openSession(cloud.self.publicKey);
      await cloud.send(device, "session", session.message);
      const reading = wire(device.seal(session, celsius(2150)));
      await client.publishAsync(device.topic("reading"), reading, { qos: 1, retain: true });
      const { code, out } = await run("--broker", broker.url, "--count", "1", ...evidence());
      expect(code).toBe(0);
      expect(out).toMatch(/\{"name":"temperature","value":21.5,"unit":"Cel"\}/);
    } finally {
      await client.endAsync(true);
      await broker.close();
    }
  });

  it("explains a broker that is not there, and one that refuses", async () => {
    const dead = await run("--broker", `mqtt://127.0.0.1:${await freePort()}`);
    expect(dead.code).toBe(1);
    expect(dead.error).toMatch(
      /^coseflow: broker mqtt:.* does not answer \(connection refused\)\n$/,
    );
    const acl = file("acl", "user nobody\n");
    const passwords = file("passwords", "");
    const broker = await startMosquitto({
      config: `allow_anonymous false\npassword_file ${passwords}\nacl_file ${acl}`,
    });
    try {
      const { code, error } = await run("--broker", broker.url, "--username", "x");
      expect(code).toBe(1);
      expect(error).toMatch(/^coseflow: broker .*(?:not authori|refused)[^\n]*\n$/i);
    } finally {
      await broker.close();
    }
  });
});
