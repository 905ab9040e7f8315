/**
 * The lasting link to the broker: one connection after the other. MQTT 5 first;
 * 3.1.1 where the broker speaks nothing newer.
 */
import { randomInt } from "node:crypto";
import {
  type MqttCause,
  type MqttConnection,
  type MqttEvents,
  type MqttOptions,
  openConnection,
} from "./mqtt.ts";

/** The wait before a new attempt doubles from the first to the second. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** A connection that lived this long was a good one: the next wait is the shortest again. */
const STABLE_MS = 30_000;

export interface LinkEvents {
  receive: MqttEvents["receive"];
  open(version: 4 | 5): void;
  /** The connection ended or failed; the next attempt is made after `waitMs`. */
  lost(cause: MqttCause, waitMs: number): void;
  /** The broker refused MQTT 5; 3.1.1 is tried at once and kept. */
  older(): void;
}

export interface Link {
  publish: MqttConnection["publish"];
  ready: MqttConnection["ready"];
  /** Ends the connection and makes no other. */
  close(): Promise<void>;
}

/** Up to a quarter longer, so that many receivers do not come back at the same instant. */
function withJitter(waitMs: number): number {
  return waitMs + randomInt(Math.ceil(waitMs / 4));
}

export function openLink(options: MqttOptions, events: LinkEvents): Link {
  let version: 4 | 5 = 5;
  let failures = 0;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let openedAt: number | undefined;
  let connection = connect();

  function connect(): MqttConnection {
    openedAt = undefined;
    return openConnection(options, version, {
      receive: events.receive,
      open(used) {
        openedAt = Date.now();
        events.open(used);
      },
      closed,
    });
  }

  function nextWait(): number {
    const stable = openedAt !== undefined && Date.now() - openedAt >= STABLE_MS;
    failures = stable ? 1 : failures + 1;
    return withJitter(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)));
  }

  function closed(cause: MqttCause): void {
    if (closing) return;
    if (cause.kind === "version") {
      version = 4;
      events.older();
      connection = connect();
      return;
    }
    const waitMs = nextWait();
    timer = setTimeout(() => {
      connection = connect();
    }, waitMs);
    events.lost(cause, waitMs);
  }

  return {
    publish: (topic, payload, options) => connection.publish(topic, payload, options),
    ready: () => connection.ready(),
    async close() {
      closing = true;
      clearTimeout(timer);
      await connection.end();
    },
  };
}
