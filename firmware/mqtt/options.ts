import type { Bytes } from "../../protocol/bytes.ts";
import type { Clock, Log, Net, Random } from "../ports.ts";
import type { ConnectOptions, Qos, Subscription } from "./packet.ts";

/** What outlives a power cut of a QoS 2 message: stored before a packet that depends on it goes out. */
export interface Kept {
  packetId: number;
  /** A state of the outbound table; NONE before the first send. */
  phase: number;
  /** Stores both. An error thrown here means "not stored": the packet does not go out. */
  keep(packetId: number, phase: number): void;
}

export interface MqttOptions extends ConnectOptions {
  net: Net;
  clock: Clock;
  random: Random;
  /** Told of each connection ("mqtt: connected, session ...") and of its end, with the reason. */
  log: Log;
  host: string;
  port: number;
  /** 1 to 65,535 s. A dead connection is noticed within one and a half times that. */
  keepAlive: number;
  /** At least one; subscribed after every connect. */
  subscriptions: Subscription[];
  /**
   * QoS 2: once for each message, before PUBREC; QoS 1 before PUBACK. An error thrown
   * here means "not kept": no acknowledgement, and the connection ends, so that the
   * broker sends it again.
   */
  onMessage(topic: string, payload: Bytes): void;
  /** publish() may be true now. */
  onReady(): void;
  /** Connected and subscribed, or no longer. */
  onConnection(connected: boolean): void;
}

export interface MqttClient {
  /** Starts, and from then on keeps trying. Called once. */
  connect(): void;
  /**
   * Sends, or returns false: while offline, while the socket has not drained, or (QoS > 0)
   * at MAX_INFLIGHT. Then the caller keeps the message until onReady. Once true is
   * returned a QoS 1 or 2 message stays here, over reconnects, until the broker has
   * acknowledged it: `done` is called. At QoS 0 `done` is called when it is written.
   * Throws "size" above MAX_PAYLOAD, and what `keep` throws. `kept` may be given at QoS 2;
   * with a phase the message was in flight when the power went: it is taken always, and
   * goes on from there once connected.
   */
  publish(topic: string, payload: Bytes, qos: Qos, done: () => void, kept?: Kept): boolean;
}
