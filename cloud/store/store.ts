/**
 * What the cloud keeps, whatever keeps it. Every method is one transaction, durable
 * when its promise resolves. It rejects when the storage fails, never for what a
 * message contains: that is the result.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import type { CommandStore } from "./commands.ts";
import type { EnrolmentStore } from "./enrolment.ts";

export interface Device {
  kid: Bytes;
  /** Uncompressed P-256 point, 65 bytes. */
  publicKey: Bytes;
  /** COSE Key Thumbprint, 32 bytes. */
  thumbprint: Bytes;
  /** What people call it; undefined: its key id. */
  name: string | undefined;
}

/**
 * "rolling" is a key that replaces another, until its first session; the other is "rolled"
 * from then on. "deleting" from the delete command's issue on, "deleted" from its reply. No
 * key comes back from the last four.
 */
export type DeviceState =
  | "registered"
  | "enrolled"
  | "rolling"
  | "rolled"
  | "deleting"
  | "deleted"
  | "revoked";

/** Whom a device belongs to. Never shown but by `coseflow device`. */
export interface Owner {
  deviceId: string | undefined;
  userId: string | undefined;
}

export interface KnownDevice extends Device, Owner {
  state: DeviceState;
  /** DER; undefined where it has not enrolled, or is closed. */
  certificate: Bytes | undefined;
  /** Unix seconds: when another key took the place of this one, as far as that is known. */
  rolledAt: number | undefined;
}

export interface DeviceSummary {
  device: KnownDevice;
  /** Unix seconds. */
  registeredAt: number;
  sessions: number;
  readings: number;
}

export interface Session {
  /** Key id of the device. */
  device: Bytes;
  /** The device counter, which is the session's key id. */
  counter: number;
  /** The session key, sealed under the key-encryption key. */
  sealedKey: Bytes;
  baseIv: Bytes;
  /** Unix seconds. */
  committedAt: number;
}

/** What a device says of its boot, once it knows the time. */
export interface BootReport {
  /** The sessions of this boot so far, by their counters, and the last reading of the last. */
  firstSession: number;
  lastSession: number;
  lastSequence: number;
  /** Seconds since boot, and Unix seconds, of one moment. */
  uptime: number;
  time: number;
}

export interface DeviceEvent {
  /** Key id of the device. */
  device: Bytes;
  /** The device counter, shared with its sessions. */
  counter: number;
  /** Unix seconds. */
  receivedAt: number;
  /** The SenML pack as it came. */
  payload: Bytes;
  /** What the payload says, where it is a boot report. */
  bootReport: BootReport | undefined;
}

/** "conflict": another message, a session's or an event, already has this device's counter. */
export type SignedCommit = "stored" | "repeat" | "conflict";

export interface StoredRecord {
  name: string;
  unit: string | undefined;
  value: number | boolean;
  /** SenML time as it came; undefined when the record has none. */
  time: number | undefined;
}

export interface Reading {
  /** Key id of the device. */
  device: Bytes;
  /** Counter of the session. */
  session: number;
  sequence: number;
  /** Unix seconds. */
  receivedAt: number;
  /** Seconds since boot, where the pack has these in place of a time. */
  uptime: number | undefined;
  records: StoredRecord[];
}

/** A reading without a time of its own, and what a boot report makes of its uptime. */
export interface DatedReading {
  session: number;
  sequence: number;
  records: StoredRecord[];
  /** Unix seconds. */
  date: number;
}

export interface Counts {
  devices: number;
  sessions: number;
  events: number;
  readings: number;
  records: number;
  /** Refused messages by reason. */
  refused: Record<string, number>;
}

/** Readings that a receipt lists: a session's counter and a range of sequence numbers. */
export interface ToldRange {
  session: number;
  first: number;
  last: number;
}

export interface Store extends EnrolmentStore, CommandStore {
  /** Keeps the sealed key of the first call for ever; gives the one kept. */
  keepKeyCheck(sealedKey: Bytes): Promise<Bytes>;

  /**
   * Registers a device, or gives a registered one another name or owner. "kid" when its key
   * id belongs to another key, or to a device that was deleted or revoked; "argument" when
   * its device id belongs to another device.
   */
  registerDevice(device: Device, now: number, owner?: Owner): Promise<void>;
  /** Revokes the key, for ever. */
  revokeDevice(
    kid: Bytes,
    now: number,
  ): Promise<"revoked" | "repeat" | "device-unknown" | "device-deleted">;
  findDevice(kid: Bytes): Promise<KnownDevice | undefined>;
  /** The device that bears this id now: none that was deleted or revoked. */
  findDeviceById(deviceId: string): Promise<KnownDevice | undefined>;
  listDevices(): Promise<DeviceSummary[]>;

  /**
   * Signed messages are stored with their hash, SHA-256 of the Sig_structure (32 bytes).
   * All of one device share its counter: each value belongs to one hash.
   */
  /**
   * The first session of a key that replaces another makes it the device's, and closes the
   * other; "device-rolled" when the other has been closed meanwhile.
   */
  commitSession(session: Session, hash: Bytes): Promise<SignedCommit | "device-rolled">;
  commitEvent(event: DeviceEvent, hash: Bytes): Promise<SignedCommit>;
  /** True when a signed message of this hash is stored: it is a repeat. */
  hasSigned(device: Bytes, hash: Bytes): Promise<boolean>;
  findSession(device: Bytes, counter: number): Promise<Session | undefined>;
  /**
   * Counts one more receipt under the device's newest session and gives it;
   * undefined when it has none, or `limit` receipts are spent. `fresh` are the readings it
   * lists for the first time, for the audit log.
   */
  takeReceipt(device: Bytes, limit: number, fresh?: ToldRange[]): Promise<Session | undefined>;

  /** False when (device, session, sequence) is stored already: then nothing changes. */
  commitReading(reading: Reading): Promise<boolean>;

  /** The date of a stored reading by a boot report; undefined when there is none for it. */
  findDate(device: Bytes, session: number, sequence: number): Promise<number | undefined>;
  /**
   * What the boot report of this counter dates of the readings stored so far, in order. What
   * is beyond MAX_DATED_RECORDS is dated all the same, but not listed.
   */
  listDated(device: Bytes, counter: number): Promise<DatedReading[]>;

  /**
   * Counts, soon written: a crash may forget the last second of counting. Of `message` only
   * the hash is kept, in the audit log.
   */
  countRefusal(
    reason: string,
    messageClass: MessageClass | undefined,
    kid: Bytes | undefined,
    now: number,
    message?: Buffer,
  ): Promise<void>;
  counts(): Promise<Counts>;
  close(): Promise<void>;
}
