import { createMqttClient } from "../../firmware/mqtt/client.ts";
import type {
  DisconnectReason,
  MqttClient,
  MqttOptions,
  Outcome,
} from "../../firmware/mqtt/options.ts";
import type { Qos } from "../../firmware/mqtt/packet.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { netPort, realClock } from "./net-port.ts";

const UNTIL_MS = 10_000;

export interface MqttDevice {
  client: MqttClient;
  /** Payloads given to onMessage, in order. */
  messages: string[];
  /** sessionPresent of each onConnect. */
  sessions: boolean[];
  reasons: DisconnectReason[];
  /** Publishes once the client takes it; resolves with what became of it. */
  send(topic: string, payload: string, qos: Qos): Promise<Outcome>;
  /** Resolves when the condition holds; looked at after every callback. */
  until(condition: () => boolean): Promise<void>;
  /** Looks at the conditions again, for what is no callback of the client's. */
  look(): void;
}

/** The firmware's MQTT client over real TCP and time, not yet connected. Its back-off is 0 ms. */
export function createMqttDevice(port: number, options: Partial<MqttOptions> = {}): MqttDevice {
  const waiting = new Set<() => void>();
  const queue: (() => boolean)[] = [];
  const lines: string[] = [];
  const look = () => {
    for (const check of waiting) check();
  };
  const pump = () => {
    while (queue[0]?.()) queue.shift();
    look();
  };
  const device: MqttDevice = {
    messages: [],
    sessions: [],
    reasons: [],
    look,
    client: createMqttClient({
      net: netPort,
      clock: realClock(),
      random: (length) => "\0".repeat(length) as Bytes,
      log: (line) => lines.push(line),
      host: "127.0.0.1",
      port,
      clientId: "cf-0123456789abcdef",
      keepAlive: 60,
      onConnect(sessionPresent) {
        device.sessions.push(sessionPresent);
        look();
      },
      onDisconnect(reason) {
        device.reasons.push(reason);
        look();
      },
      onMessage(_topic, payload) {
        device.messages.push(payload);
        look();
      },
      onReady: pump,
      ...options,
    }),
    send(topic, payload, qos) {
      return new Promise((resolve) => {
        const done = (outcome: Outcome) => {
          resolve(outcome);
          look();
        };
        queue.push(() => device.client.publish(topic, payload as Bytes, qos, done));
        if (queue.length === 1) pump();
      });
    },
    until(condition) {
      return new Promise((resolve, reject) => {
        const check = () => {
          if (!condition()) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          const state = JSON.stringify([device.messages, device.sessions, device.reasons]);
          reject(
            new Error(
              `condition, expected in time, got ${state} and\n${lines.slice(-20).join("\n")}`,
            ),
          );
        }, UNTIL_MS);
        waiting.add(check);
        check();
      });
    },
  };
  return device;
}
