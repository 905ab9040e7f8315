import type { Bytes } from "../../protocol/bytes.ts";
import type { Clock, Log, Net, Random } from "../ports.ts";
import type { ConnectOptions, Qos, Subscription } from "./packet.ts";

/** What the client tells of its connection, in an object that its owner reads. */
export interface MqttLink {
  online: boolean;
  /** Connections that got as far as SUBACK. */
  connects: number;
  /** Connections ended because the broker sent what it must not. */
  malformed: number;
}

export interface MqttOptions extends ConnectOptions {
  link: MqttLink;
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
}

export interface MqttClient {
  /** Starts, and from then on keeps trying. Called once. */
  connect(): void;
  /**
   * Sends, or returns false: while offline, while the socket has not drained, or (QoS > 0)
   * at MAX_INFLIGHT. Then the caller keeps the message until onReady. Once true is
   * returned a QoS 1 or 2 message stays here, over reconnects, until the broker has
   * acknowledged it: `done` is called. At QoS 0 `done` is called when it is written.
   * Throws "size" above MAX_PAYLOAD.
   */
  publish(topic: string, payload: Bytes, qos: Qos, done: () => void): boolean;
}
