import { BACKOFF_MAX_MS, backoffMs } from "../backoff.ts";
import type { Net, Random, Socket } from "../ports.ts";
import { STABLE_S, UNSTABLE_BEFORE_CLEAN } from "./limits.ts";

/** One broker that the device may use, as its settings name it. */
export interface Broker {
  host: string;
  port: number;
  username?: string;
  password?: string;
  /** TLS, for a broker that demands it: Espruino verifies nothing, so it protects nothing. */
  tls?: boolean;
  /** 1 for a broker without QoS 2: what is published at 2 goes out at 1. */
  maxQos?: 1 | 2;
}

/** What a socket tells. CONNECTED is TCP's word: with TLS the handshake is still to come. */
export const CONNECTED = 0;
export const DATA = 1;
export const DRAIN = 2;
export const CLOSE = 3;

export type SocketListener = (from: Socket, event: number, data: string) => void;

/** Throws or blocks as Net.connect does. A failed handshake is no error: it comes as CLOSE. */
export function openSocket(net: Net, broker: Broker, listener: SocketListener): Socket {
  const socket = net.connect(
    { host: broker.host, port: broker.port, tls: broker.tls === true },
    () => listener(socket, CONNECTED, ""),
  );
  socket.on("data", (data) => listener(socket, DATA, data));
  socket.on("drain", () => listener(socket, DRAIN, ""));
  socket.on("close", () => listener(socket, CLOSE, ""));
  return socket;
}

/** Whose turn it is. */
export interface Turn {
  brokers: Broker[];
  broker: Broker;
  /** Attempts since the last connection that was stable. */
  failures: number;
  /** The connect call of this turn stopped all else on the device for seconds. */
  blocked: boolean;
  /** Connections that opened since the last one that was stable, or was to end the broker's session. */
  opened: number;
  /** This one is only to end the session that the broker has. */
  clean: boolean;
  /** Since boot: connections that got as far as SUBACK, and those that a broker ended by sending what it must not. */
  connects: number;
  malformed: number;
  /** The caller's: what went unanswered since the connection began, or the last answer on it. */
  unheard: number;
}

export function startTurns(brokers: Broker[]): Turn {
  return {
    brokers: brokers,
    broker: brokers[0] as Broker,
    failures: 0,
    blocked: false,
    opened: 0,
    clean: false,
    connects: 0,
    malformed: 0,
    unheard: 0,
  };
}

/**
 * Ends a turn whose connection was online for `lasted` seconds: a broker that worked is
 * stayed with, or else the next in the list has its turn. Returns the milliseconds until
 * then; no broker is tried within two minutes of a call that blocked.
 */
export function endTurn(turn: Turn, lasted: number, random: Random): number {
  if (lasted >= STABLE_S) {
    turn.failures = 0;
    turn.blocked = false;
    turn.opened = 0;
  }
  turn.failures++;
  turn.clean = !turn.clean && turn.opened >= UNSTABLE_BEFORE_CLEAN;
  if (turn.clean) turn.opened = 0;
  else if (lasted < STABLE_S) {
    const next = turn.brokers.indexOf(turn.broker) + 1;
    turn.broker = turn.brokers[next % turn.brokers.length] as Broker;
  }
  // At once where it is to be clean: a broker that was only away is hardly back in between.
  const pause = backoffMs(turn.clean ? 1 : turn.failures, random);
  return Math.max(turn.blocked ? BACKOFF_MAX_MS : 0, pause);
}
