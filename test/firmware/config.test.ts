import { describe, expect, it } from "vitest";
import { type Board, checkProvisioning, checkSettings } from "../../firmware/config.ts";
import { fromHex } from "../../protocol/bytes.ts";

const DER = `30${"ab".repeat(64)}`;
const TRUST = { anchor: DER, cloudCertificate: `${DER}00` };
const board = (network: "wifi" | "host"): Board => ({
  name: "test",
  network,
  sensors: [],
  queue: { readings: 1 },
});

const BROKER = { host: "broker.example", port: 1883 };
const WIFI = { ssid: "home", password: "password" };
const ADDRESS = { ip: "192.168.1.20", netmask: "255.255.255.0", gateway: "192.168.1.1" };

const host = (settings: object) =>
  checkSettings({ brokers: [BROKER], ...TRUST, ...settings }, board("host"));
const withWifi = (wifi: unknown, brokers: object[] = [BROKER]) =>
  checkSettings({ brokers, ...TRUST, wifi }, board("wifi"));

describe("settings", () => {
  it("take a broker, and keep no certificate in memory", () => {
    expect(host({})).toEqual({ brokers: [BROKER], wifi: [] });
  });

  it("take all a broker may have, and four of them", () => {
    const full = { ...BROKER, username: "u", password: "p", tls: true, maxQos: 1 };
    expect(
      host({ brokers: [full, BROKER, { ...BROKER, maxQos: 2 }, BROKER] }).brokers,
    ).toHaveLength(4);
  });

  it.each<[string, unknown]>([
    ["none", undefined],
    ["a text", "settings"],
    ["null", null],
  ])("refuse %s", (_name, value) => {
    expect(() => checkSettings(value, board("host"))).toThrowError(/coseflow\.json, expected/);
  });

  it.each<[unknown, RegExp]>([
    [undefined, /brokers, expected a list of 1 to 4, got none/],
    [BROKER, /brokers, expected a list of 1 to 4, got something else/],
    [[], /brokers, expected a list of 1 to 4, got a list of 0/],
    [Array(5).fill(BROKER), /brokers, expected a list of 1 to 4, got a list of 5/],
    [["mqtt://x"], /brokers\[0\], expected an object, got text of 8 characters/],
    [[null], /brokers\[0\], expected an object, got something else/],
    [[BROKER, { port: 1 }], /brokers\[1\]\.host, expected text of 1 to 253 characters, got none/],
    [[{ ...BROKER, host: "" }], /host, expected text .* got text of 0 characters/],
    [[{ ...BROKER, host: "x".repeat(254) }], /host, expected text .* got text of 254/],
    [[{ ...BROKER, host: "mqtt://x" }], /host, expected a host name or address/],
    [[{ ...BROKER, host: "a b" }], /host, expected a host name or address/],
    [[{ ...BROKER, host: 7 }], /host, expected text .* got 7/],
    [[{ host: "x" }], /brokers\[0\]\.port, expected 1 to 65535, got none/],
    [[{ ...BROKER, port: 0 }], /port, expected 1 to 65535, got 0/],
    [[{ ...BROKER, port: 65536 }], /port, expected 1 to 65535, got 65536/],
    [[{ ...BROKER, port: 1883.5 }], /port, expected 1 to 65535, got 1883\.5/],
    [[{ ...BROKER, port: "1883" }], /port, expected 1 to 65535, got text of 4 characters/],
    [[{ ...BROKER, username: "" }], /username, expected text of 1 to 2048/],
    [[{ ...BROKER, username: 5 }], /username, expected text of 1 to 2048 characters, got 5/],
    [[{ ...BROKER, password: "p" }], /username, expected one with a password, got none/],
    [[{ ...BROKER, username: "u", password: "p".repeat(2049) }], /password, .* text of 2049 char/],
    [[{ ...BROKER, tls: "yes" }], /tls, expected true or false, got text of 3 characters/],
    [[{ ...BROKER, maxQos: 0 }], /maxQos, expected 1 or 2, got 0/],
    [[{ ...BROKER, maxQos: "1" }], /maxQos, expected 1 or 2, got text of 1 characters/],
    [[{ ...BROKER, maxqos: 1 }], /brokers\[0\], expected only host, .*maxQos, got maxqos/],
  ])("refuse the brokers %j", (brokers, message) => {
    expect(() => host({ brokers })).toThrowError(message);
    expect(() => host({ brokers })).toThrowError(expect.objectContaining({ code: "argument" }));
  });
});

describe("whom the device believes", () => {
  it("is two certificates, and the day of the build", () => {
    expect(checkProvisioning({ brokers: [BROKER], ...TRUST }, 7)).toEqual({
      anchor: fromHex(DER),
      cloudCertificate: fromHex(`${DER}00`),
      buildTime: 7,
      enrolment: undefined,
    });
  });

  it.each<[string, unknown]>([
    ["none", undefined],
    ["a text", "settings"],
    ["null", null],
  ])("is not taken from %s", (_name, value) => {
    expect(() => checkProvisioning(value, 0)).toThrowError(/coseflow\.json, expected/);
  });

  it("has the names under which it enrols, with a claim or without", () => {
    const ids = { deviceId: "shed", userId: "ann" };
    const enrolment = (more: object) => checkProvisioning({ ...TRUST, ...more }, 0).enrolment;
    expect(enrolment(ids)).toEqual({ ...ids, claim: undefined });
    expect(enrolment({ ...ids, claim: "0A".repeat(16) })?.claim).toBe("\n".repeat(16));
    expect(host({ ...ids, claim: "0a".repeat(16) })).toEqual({ brokers: [BROKER], wifi: [] });
  });

  it.each<[object, RegExp]>([
    [{ deviceId: "shed" }, /userId, expected text, got none/],
    [{ userId: "ann" }, /deviceId, expected text/],
    [{ claim: "0a".repeat(16) }, /deviceId, expected text/],
    [{ deviceId: "", userId: "ann" }, /deviceId, expected text/],
    [{ deviceId: 7, userId: "ann" }, /deviceId, expected text/],
    [{ deviceId: "shed", userId: "ann", claim: "5ec7e7" }, /^(?!.*5ec7e7).*32 hexadecimal digits/],
    [{ deviceId: "shed", userId: "ann", claim: 5 }, /claim, expected 32/],
  ])("does not enrol under %j", (settings, message) => {
    expect(() => checkProvisioning({ ...TRUST, ...settings }, 0)).toThrowError(message);
  });

  it.each(
    ["anchor", "cloudCertificate"].flatMap((name) =>
      [undefined, 4, "", "31ab", `${DER}0`, DER.replace("ab", "zz"), `30${"ab".repeat(1024)}`].map(
        (value) => [name, value] as const,
      ),
    ),
  )("has no %s of %s", (name, value) => {
    expect(() => checkProvisioning({ ...TRUST, [name]: value }, 0)).toThrowError(
      `${name}, expected a certificate in hexadecimal digits from 30`,
    );
  });
});

describe("settings of Wi-Fi", () => {
  it("are one network or a list of up to two", () => {
    expect(withWifi(WIFI).wifi).toEqual([WIFI]);
    expect(withWifi([WIFI, { ssid: "x".repeat(31), password: "" }]).wifi).toHaveLength(2);
  });

  it("are not looked at on a board that has none", () => {
    expect(host({ wifi: "whatever" }).wifi).toEqual([]);
  });

  it("may name an address, and then name brokers by theirs", () => {
    const network = { ...WIFI, address: ADDRESS };
    expect(withWifi(network, [{ host: "10.0.0.1", port: 1 }]).wifi).toEqual([network]);
    expect(() => withWifi(network)).toThrowError(
      /brokers\[0\]\.host, expected an IP address beside wifi\.address \(no DNS\), got broker\.ex/,
    );
    expect(() => withWifi([network, WIFI], [{ host: "10.0.0.1", port: 1 }])).toThrowError(
      /wifi, expected an address for every network or for none, got 1 of 2/,
    );
  });

  it.each<[unknown, RegExp]>([
    ["home", /wifi\[0\], expected an object, got text of 4 characters/],
    [[], /wifi, expected a list of 1 to 2, got a list of 0/],
    [[WIFI, WIFI, WIFI], /wifi, expected a list of 1 to 2, got a list of 3/],
    [{ password: "password" }, /wifi\[0\]\.ssid, expected text of 1 to 31 characters, got none/],
    [{ ...WIFI, ssid: "x".repeat(32) }, /ssid, expected text of 1 to 31 .* text of 32/],
    [{ ssid: "home" }, /wifi\[0\]\.password, expected text of 8 to 63 characters, got none/],
    [{ ...WIFI, password: "s3cret!" }, /password, expected text of 8 to 63 .* text of 7/],
    [{ ...WIFI, password: "a".repeat(64) }, /password, expected text of 8 to 63 .* text of 64/],
    [{ ...WIFI, pasword: "password" }, /wifi\[0\], expected only ssid, password, address, got pas/],
    [{ ...WIFI, address: "192.168.1.20" }, /address, expected an object, got text of 12/],
    [{ ...WIFI, address: { ...ADDRESS, dns: "1.1.1.1" } }, /expected only ip, .*, got dns/],
    ...["ip", "netmask", "gateway"].flatMap((name): [unknown, RegExp][] =>
      [undefined, 7, "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.x", "::1"].map(
        (wrong) => [
          { ...WIFI, address: { ...ADDRESS, [name]: wrong } },
          new RegExp(`address\\.${name}, expected four numbers up to 255, got `),
        ],
      ),
    ),
    ...[
      "0.0.0.0",
      "255.255.255.255",
      "255.255.255.254",
      "255.0.255.0",
      "0.0.0.255",
      "254.0.0.0",
    ].map((netmask): [unknown, RegExp] => [
      { ...WIFI, address: { ...ADDRESS, netmask } },
      /address\.netmask, expected 255\.0\.0\.0 to 255\.255\.255\.252, got /,
    ]),
    [
      { ...WIFI, address: { ...ADDRESS, gateway: "192.168.2.1" } },
      /address\.gateway, expected another address of the same network, got 192\.168\.2\.1/,
    ],
    [
      { ...WIFI, address: { ...ADDRESS, gateway: ADDRESS.ip } },
      /address\.gateway, expected another address of the same network/,
    ],
    ...["192.168.1.0", "192.168.1.255"].map((ip): [unknown, RegExp] => [
      { ...WIFI, address: { ...ADDRESS, ip } },
      /address\.ip, expected the address of a device, got 192\.168\.1\./,
    ]),
    [
      { ...WIFI, address: { ip: "0.0.0.2", netmask: "255.0.0.0", gateway: "0.0.0.1" } },
      /address\.ip, expected the address of a device, got 0\.0\.0\.2/,
    ],
  ])("refuse %j", (wifi, message) => {
    expect(() => withWifi(wifi, [{ host: "10.0.0.1", port: 1 }])).toThrowError(message);
  });

  it("may be missing, and are given later", () => {
    expect(withWifi(undefined, [{ host: "b", port: 1 }]).wifi).toEqual([]);
  });

  it("never quote a password", () => {
    for (const wifi of [
      { ...WIFI, password: "s3cret!" },
      { ...WIFI, password: "s3cret".repeat(20) },
    ])
      expect(() => withWifi(wifi)).toThrowError(/^(?!.*s3cret)/);
  });
});
