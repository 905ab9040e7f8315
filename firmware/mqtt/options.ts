import type { Bytes } from "../../protocol/bytes.ts";
import type { Clock, Log, Net, Random } from "../ports.ts";
import type { Qos } from "./packet.ts";

/** What is known of a message: handed to TCP (QoS 0), acknowledged, or (QoS 0) perhaps not sent. */
export type Outcome = "written" | "puback" | "pubcomp" | "lost";

/** Why a connection, or the attempt at one, ended. */
export type DisconnectReason =
  /** close() was called. */
  | "requested"
  /** The connect call failed: refused, or an unknown host. */
  | "connect"
  /** The other side, or the network, closed it. */
  | "closed"
  /** No CONNACK or SUBACK in CONNECT_TIMEOUT_MS. */
  | "timeout"
  /** A PINGREQ was not answered: half-open. */
  | "keep-alive"
  /** A PUBLISH, PUBREL or SUBSCRIBE was not acknowledged in ACKNOWLEDGE_TIMEOUT_S. */
  | "unacknowledged"
  /** The broker sent what it must not send, or more than the bounds allow. */
  | "protocol"
  /** The broker does not read its replies. */
  | "overflow"
  /** onMessage threw. */
  | "handler"
  /** The broker refused a subscription. */
  | "subscribe"
  /** CONNACK return codes 1 to 5 (section 3.2.2.3). */
  | "refused-version"
  | "refused-client-id"
  | "refused-unavailable"
  | "refused-credentials"
  | "refused-authorization";

/** CONNACK return codes 1 to 5. */
export const REFUSALS: DisconnectReason[] = [
  "refused-version",
  "refused-client-id",
  "refused-unavailable",
  "refused-credentials",
  "refused-authorization",
];

export interface MqttOptions {
  net: Net;
  clock: Clock;
  random: Random;
  log: Log;
  host: string;
  port: number;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Seconds, 1 to 65,535. A dead connection is noticed within one and a half times that. */
  keepAlive: number;
  /** Subscribed and ready. False: the broker has no session, what was queued there is gone. */
  onConnect(sessionPresent: boolean): void;
  /** Once for each connection or attempt that ended; unless "requested", another follows. */
  onDisconnect(reason: DisconnectReason): void;
  /**
   * QoS 2: once for each message, before PUBREC; QoS 1 before PUBACK. An error thrown
   * here means "not kept": no acknowledgement, and the connection ends, so that the
   * broker sends it again.
   */
  onMessage(topic: string, payload: Bytes, qos: Qos): void;
  /** canPublish may have become true. */
  onReady(): void;
}

export interface MqttClient {
  /** Starts, and from then on keeps trying. Does nothing when started already. */
  connect(): void;
  /** DISCONNECT and no more attempts. Messages in flight are kept for a later connect. */
  close(): void;
  /** Remembers the filter (up to MAX_SUBSCRIPTIONS); subscribes now and after every reconnect. */
  subscribe(topicFilter: string, qos: Qos): void;
  /** False while offline, while the socket has not drained, or (QoS > 0) at MAX_INFLIGHT. */
  canPublish(qos: Qos): boolean;
  /**
   * Sends, or returns false when canPublish does: the caller keeps the message until
   * onReady. Once true is returned a QoS 1 or 2 message stays here, over reconnects,
   * until `done` is called with "puback" or "pubcomp". Throws "size" above MAX_PAYLOAD.
   */
  publish(topic: string, payload: Bytes, qos: Qos, done: (outcome: Outcome) => void): boolean;
}
