/** Messages as they come at a broker, for whoever may subscribe there. */
import mqtt, { type MqttClient } from "mqtt";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import { addressOf, describe } from "../../cloud/receiver/broker.ts";
import type { Bytes } from "../../protocol/bytes.ts";

const CONNECT_MS = 10_000;
/** Messages that wait to be judged: beyond it the broker sends faster than they can be. */
const MAX_WAITING = 1000;

export interface LiveOptions {
  url: string;
  filter: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Messages after which it ends; undefined goes on until it is stopped. */
  count?: number | undefined;
  /** Ends it, as Ctrl-C does. */
  stopped: Promise<void>;
}

/** MQTT 3.1.1, which every broker speaks; QoS 0, so that nothing is kept for us. */
function connect({ url, username, password }: LiveOptions): MqttClient {
  return mqtt.connect(url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_MS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
}

/**
 * Gives each message that comes to `take`, one after the other, until there are enough or
 * it is stopped. Rejects when the broker cannot be reached, refuses, or goes away.
 */
export async function watchTopic(
  options: LiveOptions,
  take: (topic: string, message: Bytes) => Promise<void>,
): Promise<void> {
  const client = connect(options);
  let left = options.count ?? Number.POSITIVE_INFINITY;
  let waiting = 0;
  let atHand: Promise<void> = Promise.resolve();
  let isOver = false;

  const enough = new Promise<void>((resolve, reject) => {
    const lost = (error: Error | undefined) => {
      const why = describe({ kind: "network", error });
      reject(new Error(`broker ${addressOf(options.url)} ${why}`));
    };
    client.on("error", lost);
    client.once("close", () => {
      if (!isOver) lost(undefined);
    });
    client.once("connect", () => {
      client.subscribeAsync(options.filter, { qos: 0 }).then((granted) => {
        if (granted.some(({ qos }) => qos > 2)) lost(new Error("refuses the subscription"));
      }, lost);
    });
    client.on("message", (topic, payload) => {
      if (left <= 0) return;
      if (waiting >= MAX_WAITING) return lost(new Error("sends faster than this can judge"));
      left--;
      waiting++;
      const isLast = left === 0;
      atHand = atHand
        .then(() => take(topic, fromBuffer(payload)))
        .then(() => {
          waiting--;
          if (isLast) resolve();
        });
      atHand.catch(reject);
    });
  });
  try {
    await Promise.race([enough, options.stopped]);
    await atHand;
  } finally {
    isOver = true;
    await client.endAsync(true);
  }
}
