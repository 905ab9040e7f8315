import type { Bytes } from "../../protocol/bytes.ts";
import type { Clock, Log, Net, Random } from "../ports.ts";
import type { Broker, Turn } from "./broker.ts";
import type { Qos, Subscription } from "./packet.ts";

/** What outlives a power cut of a QoS 2 message: stored before a packet that depends on it goes out. */
export interface Kept {
  /** From FIRST_KEPT_ID on, the same in every life of the device, and that of no other message. */
  packetId: number;
  /** A state of the outbound table; NONE before the first send. */
  phase: number;
  /** Stores the phase. An error thrown here means "not stored": the packet does not go out. */
  keep(phase: number): void;
}

/** Reason of drop: the broker takes what is published, and nothing comes back. */
export const UNHEARD = "unheard";
/** Reason of drop: the board is about to sleep. */
export const ASLEEP = "asleep";

export interface MqttOptions {
  net: Net;
  clock: Clock;
  random: Random;
  /**
   * Told of each connection ("mqtt: connected to ...") and of the end of each connection or
   * attempt, with its reason: "connect" (the call failed), "closed" (by the other side or the
   * network), "timeout" (no CONNACK or SUBACK), "refused-..." (by CONNACK), "subscribe"
   * (refused), "cleaned" (the broker's session has ended, as was asked for), "failed" (the broker
   * sent what it must not, or onMessage threw), "overflow" (the broker does not read its replies),
   * "keep-alive" (half-open), "unacknowledged", "renewed" (after a day), "unheard", "asleep".
   */
  log: Log;
  /** At least one. A failed attempt or an early end makes the next one's turn. */
  brokers: Broker[];
  clientId: string;
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
   * Ends the connection, if there is one: another follows, which subscribes anew. With UNHEARD
   * it was no success, however long it lasted, and the next broker has its turn. With ASLEEP
   * the broker is told (DISCONNECT), and no other connection follows; throws where the socket has
   * closed, and that is not known yet.
   */
  drop(reason: string): void;
  /** Whose turn it is, and what was counted. */
  turn: Turn;
  /**
   * Sends, or returns false: while offline, while the socket has not drained, or (QoS > 0)
   * at MAX_INFLIGHT. Then the caller keeps the message until onReady. Once true is
   * returned a QoS 1 or 2 message stays here, over reconnects, until a broker has
   * acknowledged it: `done` is called. At QoS 0 `done` is called when it is written.
   * A broker whose `maxQos` is 1 gets messages of QoS 2 at QoS 1.
   * Throws "size" above MAX_PAYLOAD, and what `keep` throws. `kept` may be given at QoS 2;
   * with a phase the message was in flight when the power went: it is taken always, and
   * goes on from there once connected.
   */
  publish(topic: string, payload: Bytes, qos: Qos, done: () => void, kept?: Kept): boolean;
}
