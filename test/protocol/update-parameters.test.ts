import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import {
  createUpdateReader,
  LAST_SETTING,
  LAST_UPDATE,
  MAX_PERIOD,
  type Update,
} from "../../protocol/update-parameters.ts";
import { writeUpdate } from "../../protocol/update-writer.ts";
import { encodeOracle, fromBinary } from "../support/cbor-oracle.ts";
import { text } from "../support/provisioning-builder.ts";
import { codeOf } from "../support/refusal.ts";

const readUpdate = createUpdateReader();

function read(map: Bytes, lastKey = LAST_UPDATE): Update {
  const reader = createReader(map);
  const update = readUpdate(reader, lastKey);
  reader.end();
  return update;
}

const FULL: Update = {
  sensors: [
    { sensor: 0, periodSeconds: 1, qos: 0, drop: "oldest" },
    { sensor: 15, periodSeconds: MAX_PERIOD, qos: 1, drop: "newest" },
  ],
  wifi: [
    { ssid: text("Büro"), password: bytes("") },
    {
      ssid: bytes("shed"),
      password: bytes("correct horse"),
      address: { ip: bytes("10.0.0.7"), netmask: bytes("255.0.0.0"), gateway: bytes("10.0.0.1") },
    },
  ],
  brokers: [
    { host: bytes("broker.example"), port: 1883, tls: false, maxQos: 2 },
    {
      host: bytes("10.0.0.9"),
      port: 8883,
      username: bytes("u"),
      password: bytes("p"),
      tls: true,
      maxQos: 1,
    },
  ],
  cloudCertificate: bytes("\x30\x01"),
  registrarCertificate: bytes("\x30\x02"),
  issuedNotBefore: { cloud: 1_800_000_000, registrar: 0, provisioner: 253_402_300_799 },
  deviceCounter: 4_294_967_295,
  roll: true,
};

/** FULL as cbor-x writes it. */
const ORACLE = new Map<number, unknown>([
  [
    1,
    [
      [0, 1, 0, 0],
      [15, MAX_PERIOD, 1, 1],
    ],
  ],
  [
    2,
    [
      ["Büro", ""],
      ["shed", "correct horse", "10.0.0.7", "255.0.0.0", "10.0.0.1"],
    ],
  ],
  [
    3,
    [
      ["broker.example", 1883, "", "", false, 2],
      ["10.0.0.9", 8883, "u", "p", true, 1],
    ],
  ],
  [4, Buffer.from([0x30, 1])],
  [5, Buffer.from([0x30, 2])],
  [6, [1_800_000_000, 0, 253_402_300_799n]],
  [7, 4_294_967_295],
  [8, true],
]);

describe("an update", () => {
  it("is the map of its table, and is read back", () => {
    expect(writeUpdate(FULL)).toBe(encodeOracle(ORACLE));
    expect(read(writeUpdate(FULL))).toEqual(FULL);
    expect(writeUpdate({})).toBe("\xa0");
    expect(read(bytes("\xa0"))).toEqual({});
  });

  it("is read back whatever of it there is", () => {
    const names = Object.keys(FULL) as (keyof Update)[];
    fc.assert(
      fc.property(fc.subarray(names), (chosen) => {
        const update = Object.fromEntries(chosen.map((name) => [name, FULL[name]])) as Update;
        expect(read(writeUpdate(update))).toEqual(update);
      }),
    );
  });

  it("may move the counter and roll the key only where it is a command", () => {
    const { deviceCounter, roll, ...settings } = FULL;
    expect(read(writeUpdate(settings), LAST_SETTING)).toEqual(settings);
    for (const update of [{ deviceCounter: 7 }, { roll: true as const }])
      expect(codeOf(() => read(writeUpdate(update), LAST_SETTING))).toBe("profile");
  });

  it("reads any bytes or refuses them with a code of its own", () => {
    const good = writeUpdate(FULL);
    const spliced = fc
      .tuple(fc.nat(good.length), fc.uint8Array({ maxLength: 9 }), fc.nat(9))
      .map(([at, put, cut]) => good.slice(0, at) + fromBinary(put) + good.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }).map(fromBinary), spliced), (value) => {
        expect(["none", "cbor", "form", "profile", "size", "sequence"]).toContain(
          codeOf(() => read(value as Bytes)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("is refused when cut off anywhere", () => {
    const good = writeUpdate(FULL);
    for (let length = 0; length < good.length; length++)
      expect(["cbor", "form", "profile"]).toContain(
        codeOf(() => read(good.slice(0, length) as Bytes)),
      );
  });
});

const wifi = (...networks: unknown[]) => new Map([[2, networks]]);
const broker = (at: number, value: unknown) => {
  const right = ["host", 1883, "u", "p", true, 2];
  return new Map([[3, [right.map((each, i) => (i === at ? value : each))]]]);
};
const sensor = (at: number, value: unknown) => {
  const right = [0, 10, 1, 0];
  return new Map([[1, [right.map((each, i) => (i === at ? value : each))]]]);
};

describe("refusals", () => {
  it.each<[string, string, unknown]>([
    ["an unknown key", "profile", new Map([[9, 1]])],
    ["key 0", "profile", new Map([[0, 1]])],
    ["a key below 0", "form", new Map([[-1, 1]])],
    ["a key as text", "form", new Map([["roll", true]])],
    [
      "keys out of order",
      "profile",
      new Map<number, unknown>([
        [8, true],
        [7, 1],
      ]),
    ],
    ["an array", "form", [1]],
    ["roll: false", "profile", new Map([[8, false]])],
    ["roll: 1", "profile", new Map([[8, 1]])],
    ["device counter 0", "sequence", new Map([[7, 0]])],
    ["a device counter of 33 bits", "sequence", new Map([[7, 2n ** 32n]])],
    ["an empty certificate", "size", new Map([[4, Buffer.alloc(0)]])],
    ["a certificate as text", "form", new Map([[5, "x"]])],
    ["two times for three roles", "profile", new Map([[6, [1, 2]]])],
    ["a time after the year 9999", "form", new Map([[6, [0, 0, 253_402_300_800n]]])],
    ["no sensor", "size", new Map([[1, []]])],
    ["17 sensors", "size", new Map([[1, Array.from({ length: 17 }, () => [0, 1, 0, 0])]])],
    ["sensor 16", "form", sensor(0, 16)],
    ["a sensor by name", "form", sensor(0, "sht3x")],
    ["period 0", "form", sensor(1, 0)],
    ["a period of more than a week", "form", sensor(1, MAX_PERIOD + 1)],
    ["a period of half a second", "form", sensor(1, 0.5)],
    ["QoS 2", "form", sensor(2, 2)],
    ["drop policy 2", "form", sensor(3, 2)],
    ["a sensor of three elements", "profile", new Map([[1, [[0, 10, 1]]]])],
    ["no network", "size", wifi()],
    ["three networks", "size", wifi(["a", ""], ["b", ""], ["c", ""])],
    ["no SSID", "size", wifi(["", "12345678"])],
    ["an SSID of 32 bytes", "size", wifi(["x".repeat(32), ""])],
    ["a passphrase of 7 bytes", "size", wifi(["a", "1234567"])],
    ["a passphrase of 64 bytes", "size", wifi(["a", "x".repeat(64)])],
    ["a network of three elements", "profile", wifi(["a", "", "10.0.0.1"])],
    ["an address of 16 bytes", "size", wifi(["a", "", "1234567890123456", "1.1.1.1", "1.1.1.1"])],
    ["no broker", "size", new Map([[3, []]])],
    ["five brokers", "size", new Map([[3, Array.from({ length: 5 }, () => ["h"])]])],
    ["no host", "size", broker(0, "")],
    ["a host of 254 bytes", "size", broker(0, "x".repeat(254))],
    ["port 0", "form", broker(1, 0)],
    ["port 65536", "form", broker(1, 65536)],
    ["a password without a user name", "form", broker(2, "")],
    ["TLS as a number", "form", broker(4, 1)],
    ["QoS 0 at most", "form", broker(5, 0)],
    ["a broker of five elements", "profile", new Map([[3, [["h", 1, "", "", true]]]])],
  ])("%s: %s", (_name, code, map) => {
    expect(codeOf(() => read(encodeOracle(map)))).toBe(code);
  });

  it("says no password", () => {
    const secret = "x".repeat(64);
    try {
      read(encodeOracle(wifi(["a", secret])));
    } catch (error) {
      expect((error as Error).message).not.toContain("xx");
      return;
    }
    expect.unreachable();
  });

  it("refuses a key that comes twice", () => {
    expect(codeOf(() => read(bytes("\xa2\x07\x01\x07\x02")))).toBe("profile");
  });
});
