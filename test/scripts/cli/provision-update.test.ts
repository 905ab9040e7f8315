import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { validCertificates } from "../../../cloud/keys/credentials.ts";
import type { Update } from "../../../protocol/update-parameters.ts";
import { done } from "../../cloud/support/command-device.ts";
import { provisionBench } from "./provision-bench.ts";

const bench = provisionBench();
const { file, listen, provision } = bench;

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
      validCertificates(bench.keys, role, Date.now() / 1000)[0].certificate.der;
    expect((await provision("update", "--cloud-certificate")).error).toContain(
      "a shorter one first",
    );
    expect(await updateOf("--roll")).toEqual({ roll: true });
    expect(await updateOf("--cloud-certificate")).toEqual({ cloudCertificate: der("cloud") });
    const registrar = join(bench.keys, "registrar-1.cert.pem");
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
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
  });
});

describe("no update is issued", () => {
  it("when it would lock the device out", async () => {
    const [{ certificate }] = validCertificates(bench.keys, "provisioner", Date.now() / 1000);
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
    expect(await bench.store.listCommands(bench.device.kid)).toEqual([]);
  });
});
