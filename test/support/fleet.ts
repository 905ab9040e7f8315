import { join } from "node:path";
import Database from "better-sqlite3";
import mqtt from "mqtt";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import type { DeviceTrust } from "../../cloud/keys/device-trust.ts";
import { fromBigEndian, toHex } from "../../protocol/bytes.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { parseTopic, TOPIC_PREFIX } from "../../protocol/topics.ts";
import { type BoardFiles, type LaunchedDevice, launchDevice } from "../../simulator/launch.ts";

export interface FleetOptions {
  files: BoardFiles;
  directory: string;
  broker: { host: string; port: number };
  trust: DeviceTrust;
  /** Registers a public key with the cloud, before the device is on the network. */
  register(publicKey: string, name: string): Promise<unknown>;
}

export interface FleetDevice {
  name: string;
  lines: string[];
  powerOff(): void;
}

const KEY = /--key ([0-9a-f]{130})/;

/** Boots a simulated device until it has told its key, registers it, and boots it for good. */
export async function startDevice(options: FleetOptions, name: string): Promise<FleetDevice> {
  const lines: string[] = [];
  const launch = (port: number): LaunchedDevice =>
    launchDevice({
      files: options.files,
      directory: join(options.directory, name),
      settings: {
        brokers: [{ host: options.broker.host, port }],
        ...options.trust,
        receiptSeconds: 1,
      },
      console: (line) => lines.push(line),
    });
  // Port 9 is nobody's: the first boot is for the key alone.
  launch(9).powerOff();
  const key = KEY.exec(lines.join("\n"))?.[1];
  if (key === undefined) throw new Error(`device, expected its key, got ${lines}`);
  await options.register(key, name);
  const device = launch(options.broker.port);
  return { name, lines, powerOff: () => device.powerOff() };
}

/** Counts what the broker was given: the highest sequence number of each (kid, session). */
export async function watchSequences(url: string) {
  const highest = new Map<string, number>();
  const client = await mqtt.connectAsync(url, { protocolVersion: 4 });
  client.on("message", (topic, payload) => {
    const { kid, messageClass } = parseTopic(TOPIC_PREFIX, topic);
    if (messageClass !== "reading") return;
    const reading = parseSequencedEncrypt0(fromBuffer(payload));
    const key = `${toHex(kid)}/${fromBigEndian(reading.sessionKid)}`;
    highest.set(key, Math.max(highest.get(key) ?? 0, reading.sequence));
  });
  await client.subscribeAsync(`${TOPIC_PREFIX}/+/+`);
  return { highest, close: () => client.endAsync(true) };
}

/** True when every sequence number from 1 to the highest sent is in the database. */
export function isComplete(database: string, sent: Map<string, number>): boolean {
  const db = new Database(database, { readonly: true });
  try {
    const count = db
      .prepare(
        "SELECT count(*) AS n FROM reading WHERE lower(hex(device)) = ? AND session = ? AND sequence <= ?",
      )
      .pluck();
    return [...sent].every(([key, last]) => {
      const [kid, session] = key.split("/");
      return count.get(kid, Number(session), last) === last;
    });
  } finally {
    db.close();
  }
}
