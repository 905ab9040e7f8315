/**
 * TC-022. A broker that keeps every byte of a device's whole life, and its log at its most
 * verbose, looks for whose device it is, what it is told and what it measures. Every message of
 * device, cloud and operator goes through a recorder before Mosquitto. One life for each preset,
 * and one whose request is plain, at once.
 *
 * The table that is printed is the answer to the test case of that name: for each class of
 * messages PASS, WAIVED by policy, or FAIL.
 */
import { createPrivateKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { validCertificates } from "../../cloud/keys/credentials.ts";
import type { CommandPolicy } from "../../firmware/provision/policy.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { thumbprintOracle } from "../support/cose-builder.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import {
  ACKNOWLEDGEMENT,
  BROKER_LOG,
  CERTIFICATE,
  CONNECTION,
  logPiece,
  type Piece,
  piecesOf,
  SUBSCRIPTION,
} from "../support/tc-022/pieces.ts";
import { startRecorder } from "../support/tc-022/recorder.ts";
import { type Hit, scan } from "../support/tc-022/scan.ts";
import { judge, toTable, type Verdict, type Waiver } from "../support/tc-022/verdict.ts";
import { secretWord, textWord, valueWord, type Word } from "../support/tc-022/words.ts";
import { type Life, liveOnce } from "../support/whole-life.ts";

const READINGS = 1000;
/** Three boots of the simulator and their clouds at once, and a minute until the health record. */
const LIFE_MS = 400_000;

const NAMES = { deviceId: "glasshouse-of-the-north", userId: "ann-of-the-seven-hills" };
const DEVICE_ID = "device id";
const USER_ID = "user id";

/** What the sensor reads, the same each time. Both have 50 bits or more. */
const LOAD = { hundredths: 2718281828459045, text: "27182818284590.45" };
const MEMORY = { bytes: 3141592653589 * 1024, text: "3141592653589" };
const hostFiles = (path: string) =>
  path === "/proc/meminfo" ? `MemAvailable:   ${MEMORY.text} kB\n` : `${LOAD.text} 0.00 0.00\n`;

const BOARD = {
  name: "tc-022",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 0.05, qos: 1 }],
  queue: { readings: 256, flash: 512 },
};

/** What every life has. */
const CLASSES = [
  ...["enrol", "enrolled", "session", "reading", "event", "receipt"],
  ...["command request", "command update", "command delete", "reply"],
  ...[CERTIFICATE, CONNECTION, SUBSCRIPTION, ACKNOWLEDGEMENT, BROKER_LOG],
];

/** A request that is not sealed says for whom it is, and its action as a number. */
const waived = (form: string): Waiver => ({
  messageClass: "command request",
  form,
  words: [DEVICE_ID, USER_ID],
});

interface Told {
  life: Life;
  pieces: Piece[];
  hits: Hit[];
}

const cleanUp: (() => unknown)[] = [];
const told = new Map<string, Told>();

/** The number that is a private key. */
function secretOf(pem: string): Buffer {
  const { d } = createPrivateKey(readFileSync(pem)).export({ format: "jwk" });
  return Buffer.from(d as string, "base64url");
}

function wordsOf({ claim, keys }: Life): Word[] {
  return [
    textWord(DEVICE_ID, NAMES.deviceId),
    textWord(USER_ID, NAMES.userId),
    secretWord("claim", Buffer.from(claim, "hex")),
    ...["request", "update", "delete"].map((action) => textWord(`action ${action}`, action)),
    // What follows a name in SenML is the label of its unit.
    textWord("sensor load", "load", "\x01"),
    ...["memory", "uptime", "boot-uptime", "variables"].map((name) =>
      textWord(`name ${name}`, name),
    ),
    valueWord("value of load", LOAD.hundredths, -2),
    valueWord("value of memory", MEMORY.bytes, 0),
    ...["cloud-1", "cloud-2", "registrar-1", "provisioner-1", "issuing-1", "root"].map((name) =>
      secretWord(`key ${name}`, secretOf(join(keys, `${name}.key.pem`))),
    ),
    secretWord("key-encryption key", readFileSync(join(keys, "kek.bin"))),
  ];
}

/** Of the cloud's first key and the one that followed it: a session message names whom it is sealed to. */
function cloudKids({ keys }: Life): Buffer[] {
  const now = Math.floor(Date.now() / 1000);
  return validCertificates(keys, "cloud", now)
    .map(({ certificate }) => thumbprintOracle(certificate.publicKey).subarray(0, 8))
    .reverse();
}

function rows<Row>(database: string, sql: string): Row[] {
  const opened = new Database(database, { readonly: true });
  try {
    return opened.prepare(sql).all() as Row[];
  } finally {
    opened.close();
  }
}

function actionsOf(database: string): Map<string, string> {
  const sent = rows<{ action: string; message: Buffer }>(
    database,
    "SELECT action, message FROM command",
  );
  return new Map(sent.map(({ action, message }) => [message.toString("base64"), action]));
}

/** Lives once, and looks at all that the broker has seen of it. */
async function tell(name: string, provisioning: CommandPolicy, request: string[]): Promise<void> {
  const [directory, remove] = await temporaryDirectory("tc-022");
  cleanUp.push(remove);
  const broker = await startMosquitto({ config: "log_type all\nconnection_messages true" });
  cleanUp.push(broker.close);
  const recorders = await Promise.all(
    (["device", "cloud", "operator"] as const).map((party) => startRecorder(party, broker.port)),
  );
  cleanUp.push(...recorders.map(({ close }) => close));
  const [device, cloud, operator] = recorders.map(({ port }) => port) as [number, number, number];
  const life = await liveOnce({
    ...{ directory, names: NAMES, hostFiles, provisioning, request, cleanUp },
    files: await bundleBoard(directory, BOARD),
    broker: {
      device: () => ({ host: "127.0.0.1", port: device }),
      cloud: `mqtt://127.0.0.1:${cloud}`,
      operator: `mqtt://127.0.0.1:${operator}`,
    },
    readings: READINGS,
    isRolled: true,
  });
  await life.receiver.stop();
  const actions = actionsOf(life.receiver.database);
  const pieces = recorders
    .flatMap(({ recordings }) => recordings.flatMap((recording) => piecesOf(recording, actions)))
    .concat(logPiece(broker.log()));
  told.set(name, { life, pieces, hits: scan(pieces, wordsOf(life)) });
}

function verdicts(name: string, waivers: Waiver[]): Verdict[] {
  const { pieces, hits } = told.get(name) as Told;
  return judge(pieces, hits, CLASSES, waivers);
}

function show(title: string, judged: Verdict[]): void {
  process.stdout.write(`\n${toTable(title, judged)}\n`);
}

const classesOf = (judged: Verdict[], result: Verdict["result"]) =>
  judged.filter((verdict) => verdict.result === result).map(({ messageClass }) => messageClass);

beforeAll(async () => {
  const [directory, remove] = await temporaryDirectory("tc-022-policy");
  cleanUp.push(remove);
  const plain = join(directory, "plain.json");
  writeFileSync(plain, JSON.stringify({ provisioning: { request: "plain" } }));
  await Promise.all([
    tell("high-security", "high-security", ["--policy", "high-security"]),
    tell("standard", "standard", ["--policy", "standard"]),
    tell("plain", { request: "plain" }, ["--policy", plain, "--plain"]),
  ]);
}, LIFE_MS);
afterAll(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describe("TC-022: what a broker that keeps everything can read", () => {
  it.each(["high-security", "standard", "plain"])("has the values to look for: %s", (name) => {
    const { life } = told.get(name) as Told;
    const stored = (of: string) =>
      rows<{ value: number; count: number }>(
        life.receiver.database,
        `SELECT value, count(*) AS count FROM measurement WHERE name = '${of}' GROUP BY value`,
      );
    const [load, memory] = [stored("load"), stored("memory")];
    expect([load.length, memory.length]).toEqual([1, 1]);
    expect([load[0]?.value, memory[0]?.value]).toEqual([LOAD.hundredths / 100, MEMORY.bytes]);
    expect(load[0]?.count).toBeGreaterThanOrEqual(READINGS);
  });

  it.each(["high-security", "standard", "plain"])("has all messages, at both ends: %s", (name) => {
    const { life, pieces } = told.get(name) as Told;
    for (const from of ["device to broker", "broker to cloud"]) {
      const seen = pieces.filter((piece) => piece.from === from);
      const readings = seen.filter(({ messageClass }) => messageClass === "reading");
      expect(readings.length, from).toBeGreaterThanOrEqual(READINGS);
      const sessions = seen.filter(({ messageClass }) => messageClass === "session");
      const [before, after] = cloudKids(life) as [Buffer, Buffer];
      expect(sessions.at(0)?.bytes.includes(before), "first session").toBe(true);
      expect(sessions.at(-1)?.bytes.includes(after), "last session").toBe(true);
    }
  });

  it("is nothing under high-security", () => {
    const judged = verdicts("high-security", []);
    show("high-security", judged);
    expect(classesOf(judged, "PASS")).toEqual(CLASSES);
  });

  it("is for whom a request is under standard, and nothing else", () => {
    const judged = verdicts("standard", [waived("signed")]);
    show("standard", judged);
    expect(classesOf(judged, "WAIVED")).toEqual(["command request"]);
    expect(classesOf(judged, "FAIL")).toEqual([]);
  });

  it("is the same with a request that an explicit policy makes plain", () => {
    const judged = verdicts("plain", [waived("plain")]);
    show("request plain, by an explicit policy", judged);
    expect(classesOf(judged, "WAIVED")).toEqual(["command request"]);
    expect(classesOf(judged, "FAIL")).toEqual([]);
  });

  it("is found where the policy in force says sealed: a plain request fails", () => {
    const judged = verdicts("plain", []);
    show("high-security, but with a plain request (must fail)", judged);
    expect(classesOf(judged, "FAIL")).toEqual(["command request"]);
    const { why } = judged.find(({ result }) => result === "FAIL") as Verdict;
    expect(why).toBe("found: device id (text, payload), user id (text, payload)");
  });

  it("is not what a policy leaves open and nobody sends: a sealed request under standard fails", () => {
    const judged = verdicts("high-security", [waived("signed")]);
    expect(classesOf(judged, "FAIL")).toEqual(["command request"]);
  });
});
