/** MQTT 3.1.1 as a client has to speak it, for the messages it sends. */
import type { IPublishPacket, Packet } from "mqtt-packet";
import type { HistoryEvent, Report } from "../history.ts";

/** A message of QoS 1 or 2 whose packet id is in use. */
interface InFlight {
  qos: number;
  topic: string;
  payload: Buffer;
  /** Sent at least once to a broker that may still know of it. */
  known: boolean;
  /** PUBREC came; PUBREL went out. */
  received: boolean;
  released: boolean;
  /** The device has restarted since. */
  old: boolean;
}

export function checkMqtt(events: HistoryEvent[], report: Report): void {
  const inFlight = new Map<number, InFlight>();
  /**
   * How many PUBRELs each id may have: one for each PUBREC, also of a message that the device does
   * not know, or the broker keeps it; and one at a reconnect for each that was answered before.
   */
  const due = new Map<number, number>();
  /** Ids whose PUBCOMP came; and before a restart, after which the device may not know of it. */
  const finished = new Set<number>();
  const forgotten = new Set<number>();

  function sentPublish(packet: IPublishPacket): void {
    const { qos, dup, topic } = packet;
    const payload = packet.payload as Buffer;
    if (qos === 0) return;
    const id = packet.messageId as number;
    const before = inFlight.get(id);
    const isSame = before?.topic === topic && before.qos === qos && before.payload.equals(payload);
    if (before && !isSame) report("packet-id", `${id} for a message of ${topic} while in flight`);
    if (before && isSame && before.known && !dup) report("dup", `${id} again without DUP`);
    if (before && isSame && before.released) report("pubrel", `publish of ${id} after its pubrel`);
    const received = isSame && before.received;
    if (!isSame) due.delete(id);
    inFlight.set(id, { qos, topic, payload, known: true, received, released: false, old: false });
  }

  function sentPubrel(packet: Packet): void {
    const id = packet.messageId as number;
    const message = inFlight.get(id);
    const left = due.get(id) ?? 0;
    if (left === 0 && !forgotten.has(id)) report("pubrel", `pubrel of ${id}, no pubrec`);
    due.set(id, Math.max(0, left - 1));
    if (message) message.released = true;
  }

  /** What the device owed on the last connection, it owes anew. */
  function sessionKept(): void {
    due.clear();
    for (const [id, message] of inFlight) if (message.received) due.set(id, 1);
  }

  /** The broker has forgotten the session: what is in flight is sent as if for the first time. */
  function sessionLost(): void {
    due.clear();
    for (const [id, message] of inFlight) {
      if (message.old) inFlight.delete(id);
      message.known = false;
      message.received = false;
      message.released = false;
    }
  }

  function acknowledged(packet: Packet): void {
    const id = packet.messageId as number;
    const message = inFlight.get(id);
    if (packet.cmd === "puback" && message?.qos === 1) inFlight.delete(id);
    if (packet.cmd === "pubcomp" && message?.qos === 2) {
      inFlight.delete(id);
      finished.add(id);
    }
    if (packet.cmd !== "pubrec") return;
    if (message?.qos === 2) message.received = true;
    due.set(id, (due.get(id) ?? 0) + 1);
  }

  /** A broker takes an id of QoS 1 for a new message; one of QoS 2 it may still hold. */
  function booted(): void {
    for (const [id, message] of inFlight) {
      if (message.qos === 1) inFlight.delete(id);
      message.old = true;
    }
    due.clear();
    for (const id of finished) forgotten.add(id);
    finished.clear();
  }

  for (const event of events) {
    if (event.kind === "boot") booted();
    else if (event.kind === "sent") {
      if (event.packet.cmd === "publish") sentPublish(event.packet);
      if (event.packet.cmd === "pubrel") sentPubrel(event.packet);
    } else if (event.packet.cmd !== "connack") acknowledged(event.packet);
    else if (event.packet.sessionPresent) sessionKept();
    else sessionLost();
  }
}
