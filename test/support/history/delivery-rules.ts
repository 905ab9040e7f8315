/** Sessions, readings and receipts on the wire, in the order in which the device saw them. */
import type { IPublishPacket } from "mqtt-packet";
import type { History, Report, StoredSession } from "../history.ts";
import { sameMeasured } from "./measured.ts";
import {
  decodeEvent,
  decodeReading,
  decodeSession,
  listedName,
  openWireReading,
  openWireReceipt,
} from "./wire.ts";

const classOf = ({ topic }: IPublishPacket) => topic.slice(topic.lastIndexOf("/") + 1);

export function checkDelivery(history: History, report: Report): void {
  const { thumbprint, cloud } = history;
  const stored = new Map(cloud.sessions.map((session) => [session.counter, session]));
  const rows = new Map(cloud.readings.map((row) => [`${row.session}/${row.sequence}`, row]));
  const messages = new Map<number, Buffer>();
  const hashes = new Map<number, Buffer>();
  const names = new Map<string, number>();
  const ciphertexts = new Map<string, Buffer>();
  /** Sessions of which the device was told that they are stored. */
  const told = new Set<number>();

  function sentSession(message: Buffer): void {
    const { counter, hash } = decodeSession(message, thumbprint);
    const before = messages.get(counter);
    if (before !== undefined) {
      if (!before.equals(message)) report("session", `session ${counter} with two messages`);
      return;
    }
    messages.set(counter, message);
    hashes.set(counter, hash);
    names.set(listedName(hash), counter);
  }

  function sentReading(message: Buffer): void {
    const reading = decodeReading(message);
    const name = `${reading.session}/${reading.sequence}`;
    if (!told.has(reading.session)) report("early", `reading ${name}`);
    const before = ciphertexts.get(name);
    if (before?.equals(message)) return;
    if (before) report("nonce", `reading ${name} with two ciphertexts`);
    ciphertexts.set(name, message);
    const session = stored.get(reading.session);
    const values = session && openWireReading(reading, session, thumbprint);
    // A session that is told of and not stored is reported as lost.
    if (session && !values) report("form", `reading ${name}, which its session does not open`);
    const row = rows.get(name);
    if (values && row && !sameMeasured(values, row.values))
      report("foreign", `reading ${name}, stored otherwise than it was sent`);
  }

  function gotReceipt(message: Buffer): void {
    const receipt = openWireReceipt(message, stored, thumbprint);
    if (!receipt) return;
    for (const name of receipt.messages) {
      const counter = names.get(name);
      if (counter !== undefined) told.add(counter);
    }
    for (const { session, first, last } of receipt.ranges)
      for (let sequence = first; sequence <= last; sequence++)
        if (!rows.has(`${session}/${sequence}`))
          report("lost", `reading ${session}/${sequence}, though a receipt listed it`);
  }

  function take(kind: "sent" | "got", packet: IPublishPacket): void {
    const payload = packet.payload as Buffer;
    const messageClass = classOf(packet);
    if (kind === "got") {
      if (messageClass === "receipt") gotReceipt(payload);
      return;
    }
    try {
      if (messageClass === "session") sentSession(payload);
      else if (messageClass === "reading") sentReading(payload);
      else if (["event", "reply", "enrol"].includes(messageClass)) decodeEvent(payload);
      else report("form", `message of class ${messageClass}`);
    } catch (error) {
      report("form", `${messageClass}: ${(error as Error).message}`);
    }
  }

  for (const event of history.events)
    if (event.kind !== "boot" && event.packet.cmd === "publish") take(event.kind, event.packet);
  checkKeys(cloud.sessions, report);
  for (const counter of told) {
    const hash = hashes.get(counter) as Buffer;
    if (!stored.get(counter)?.hash.equals(hash))
      report("lost", `session ${counter}, though a receipt listed it`);
  }
}

/** Nonces count from the Base IV in each session, so its key must be its own. */
function checkKeys(sessions: StoredSession[], report: Report): void {
  const owners = new Map<string, number>();
  for (const { counter, key } of sessions) {
    const owner = owners.get(key.toString("latin1"));
    if (owner !== undefined) report("session", `sessions ${owner} and ${counter} with one key`);
    owners.set(key.toString("latin1"), counter);
  }
}
