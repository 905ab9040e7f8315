import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { brokerCheck } from "../../../scripts/doctor/broker.ts";
import { judgeProperties, judgeQos } from "../../../scripts/doctor/broker-features.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { startAedes } from "../../support/brokers.ts";
import { freePort } from "../../support/free-port.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { startTlsMosquitto } from "../../support/tls-broker.ts";
import { problemOf, resultsOf } from "./bench.ts";

const temporary = temporaryDirectories();
const PREFIX = "cf/1";
const check = (url: string, login: { username?: string; password?: string } = {}) =>
  brokerCheck({ url, ...login }, PREFIX);

async function mosquitto(config = "") {
  const broker = await startMosquitto({ config });
  onTestFinished(() => broker.close());
  return broker;
}

describe("broker", () => {
  it("is fine with an ordinary Mosquitto, and leaves nothing there", async () => {
    const broker = await mosquitto("log_type all");
    const findings = await check(broker.url).run();
    expect(findings.map(({ result, text }) => `${result} ${text}`)).toEqual([
      `ok ${broker.url}: reachable, MQTT 5`,
      "ok QoS 2",
      expect.stringMatching(/^ok takes \d+ messages at once/),
      "ok QoS 2: a message came back",
      "ok shared subscription, QoS 2: a message came back",
    ]);
    expect(broker.log()).toMatch(/Received DISCONNECT/);
  });

  it("fails on a dead port and on a name that is none", async () => {
    const dead = await problemOf(check(`mqtt://127.0.0.1:${await freePort()}`));
    expect(dead).toMatchObject({ result: "fail", text: expect.stringMatching(/does not answer/) });
    expect(dead.fix).toMatch(/systemctl status mosquitto/);
    const unknown = await problemOf(check("mqtt://broker.invalid"));
    expect(unknown.text).toMatch(/has no address|EAI_AGAIN/);
  });

  it("fails on something that is no broker", async () => {
    const server = createServer((socket) => socket.end("220 mail.example\r\n"));
    server.listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect((await problemOf(check(`mqtt://127.0.0.1:${port}`))).result).toBe("fail");
  });

  it("fails on refused credentials, and takes the right ones", async () => {
    const passwords = join(temporary(), "passwords");
    writeFileSync(passwords, "");
    execFileSync("mosquitto_passwd", ["-b", passwords, "desk", "s3cret"], { stdio: "ignore" });
    const broker = await mosquitto(`allow_anonymous false\npassword_file ${passwords}`);
    const anonymous = await problemOf(check(broker.url));
    expect(anonymous.text).toMatch(/refuses a client without a user name/);
    const wrong = await problemOf(check(broker.url, { username: "desk", password: "wr0ng" }));
    expect(wrong.text).toMatch(/refuses the user desk or its password/);
    expect(JSON.stringify([anonymous, wrong])).not.toMatch(/wr0ng|s3cret/);
    const right = check(broker.url, { username: "desk", password: "s3cret" });
    expect(new Set(await resultsOf(right))).toEqual(new Set(["ok"]));
  });

  it("tells TLS from no TLS, both ways, and a certificate nobody vouches for", async () => {
    const broker = await startTlsMosquitto("ec");
    onTestFinished(() => broker.close());
    const untrusted = await problemOf(check(broker.url));
    expect(untrusted.text).toMatch(/TLS fails \(\w+\)/);
    expect(untrusted.fix).toMatch(/NODE_EXTRA_CA_CERTS/);
    const plainOnTls = await problemOf(check(broker.url.replace("mqtts:", "mqtt:")));
    expect(plainOnTls.fix).toBe(`--broker ${broker.url}`);
    const tlsOnPlain = await problemOf(check(broker.plainUrl.replace("mqtt:", "mqtts:")));
    expect(tlsOnPlain.text).toMatch(/does not speak TLS/);
  });

  it("warns of a broker of MQTT 3.1.1 alone", async () => {
    const broker = await startAedes();
    onTestFinished(() => broker.close());
    expect(await problemOf(check(broker.url))).toMatchObject({
      result: "warn",
      text: `${broker.url}: refuses MQTT 5`,
    });
  });

  it("warns of QoS 1 at most, and says what the device needs", async () => {
    const broker = await mosquitto("max_qos 1");
    const { result, fix } = await problemOf(check(broker.url));
    expect(result).toBe("warn");
    expect(fix).toMatch(/"maxQos": 1/);
  });

  it("fails without QoS, and warns without retained messages", async () => {
    expect((await problemOf(check((await mosquitto("max_qos 0")).url))).result).toBe("fail");
    const { text } = await problemOf(check((await mosquitto("retain_available false")).url));
    expect(text).toBe("no retained messages");
  });

  it("fails on packets that are too small", async () => {
    const broker = await mosquitto("max_packet_size 1000");
    expect((await problemOf(check(broker.url))).text).toBe("packets of at most 1000 bytes");
  });

  it("warns of an access list in the way", { timeout: 30_000 }, async () => {
    const acl = join(temporary(), "acl");
    writeFileSync(acl, `topic write ${PREFIX}/#\n`);
    const broker = await mosquitto(`acl_file ${acl}`);
    const findings = await check(broker.url).run();
    const problems = findings.filter(({ result }) => result === "warn");
    expect(problems).toHaveLength(2);
    expect(problems[0]?.fix).toBe("allow cf/1/# to this user, for reading and writing");
  });
});

describe("what a broker says of itself", () => {
  it.each([
    [{ sharedSubscriptionAvailable: false }, "warn", /no shared subscriptions/],
    [{ wildcardSubscriptionAvailable: false }, "fail", /no wildcards/],
    [{ sessionExpiryInterval: 3600 }, "warn", /keeps a session for 3600 s/],
  ])("%j is a %s", (properties, result, text) => {
    expect(judgeProperties(properties)[0]).toMatchObject({
      result,
      text: expect.stringMatching(text),
    });
  });

  it("is enough when it says nothing", () => {
    expect(judgeProperties({}).map((finding) => finding.result)).toEqual(["ok"]);
    expect(judgeQos(2).result).toBe("ok");
  });
});
