/**
 * Judges what a device did by what could be seen from outside: every packet it wrote and
 * got, what its sensors measured, and what the cloud's database holds at the end. Shares no
 * code with the device: packets by mqtt-packet, COSE by cbor-x and node:crypto.
 */
import type { Packet } from "mqtt-packet";
import { checkDelivery } from "./history/delivery-rules.ts";
import { checkMqtt } from "./history/mqtt-rules.ts";
import { checkStored } from "./history/stored-rules.ts";

export type Values = Record<string, number | boolean>;

export type HistoryEvent =
  /** The device started; what it had in memory alone is gone. */
  { kind: "boot" } | { kind: "sent"; packet: Packet } | { kind: "got"; packet: Packet };

export interface StoredSession {
  counter: number;
  /** 16 bytes, in clear. */
  key: Buffer;
  baseIv: Buffer;
  hash: Buffer;
}

export interface StoredReading {
  session: number;
  sequence: number;
  /** By name; what the firmware adds of its own ("uptime", "dropped") among them. */
  values: Values;
}

/** What the cloud has of one device. */
export interface CloudContent {
  sessions: StoredSession[];
  readings: StoredReading[];
  /** Messages it refused, by reason. */
  refused: Record<string, number>;
}

export interface History {
  /** Of the device's key, 32 bytes (RFC 9679). */
  thumbprint: Buffer;
  /** In the order in which the device saw them. */
  events: HistoryEvent[];
  /** What the sensors measured and the device accepted, in order. No two are alike. */
  produced: Values[];
  cloud: CloudContent;
  /** Of `produced`, by index: what has to be stored now. */
  arrived: number[];
  /** Reasons for which the cloud may have refused a message of this device; all others count. */
  mayRefuse: string[];
}

export type Rule =
  /** A message of the device does not read as what its topic says. */
  | "form"
  /** One (session, sequence) with two ciphertexts: one nonce for two texts. */
  | "nonce"
  /** One session key id with two messages, or one key in two sessions. */
  | "session"
  /** A reading before the device was told that its session is stored. */
  | "early"
  /** A packet id given to a second message while the first was in flight (MQTT 3.1.1 section 2.3.1). */
  | "packet-id"
  /** PUBREL without PUBREC, or PUBLISH after PUBREL (section 4.3.3). */
  | "pubrel"
  /** Sent again without DUP, or with other bytes (section 3.3.1.1). */
  | "dup"
  /** Stored, and never measured; or stored otherwise than it was sent. */
  | "foreign"
  /** Measured once and stored twice. */
  | "twice"
  /** Stored in a session in another order than measured. */
  | "order"
  /** The device was told that it is stored, and it is not. */
  | "lost"
  /** It had to be stored by now. */
  | "missing"
  /** Refused by the cloud for a reason that an honest device never gives. */
  | "refused";

export type Report = (rule: Rule, what: string) => void;

/** Every violation as "rule: what"; none when all is well. */
export function checkHistory(history: History): string[] {
  const violations: string[] = [];
  const report: Report = (rule, what) => violations.push(`${rule}: ${what}`);
  checkMqtt(history.events, report);
  checkDelivery(history, report);
  checkStored(history, report);
  return violations;
}
