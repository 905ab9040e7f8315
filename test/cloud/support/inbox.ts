import type { MqttClient } from "mqtt";

/** The payloads that arrive at a client, one after the other. */
export interface Inbox {
  /** The next payload, when it is there. */
  next(): Promise<Buffer>;
  /** Payloads not taken yet. */
  waiting(): number;
}

export function inbox(client: MqttClient): Inbox {
  const payloads: Buffer[] = [];
  const takers: ((payload: Buffer) => void)[] = [];
  client.on("message", (_topic, payload) => {
    const taker = takers.shift();
    if (taker) taker(payload);
    else payloads.push(payload);
  });
  return {
    next() {
      const payload = payloads.shift();
      return payload ? Promise.resolve(payload) : new Promise((resolve) => takers.push(resolve));
    },
    waiting: () => payloads.length,
  };
}
