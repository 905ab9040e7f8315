import { createMqttClient } from "../../firmware/mqtt/client.ts";
import type { MqttClient, MqttOptions } from "../../firmware/mqtt/options.ts";
import type { Qos } from "../../firmware/mqtt/packet.ts";
import type { Net, Socket } from "../../firmware/ports.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { netPort, realClock } from "./net-port.ts";

const UNTIL_MS = 60_000;

/** The topic filter that a device subscribes to unless told otherwise. */
export const DOWN = "cf/1/0123456789abcdef/command";

export interface MqttDevice {
  client: MqttClient;
  /** Payloads given to onMessage, in order. */
  messages: string[];
  /** Of each time it came online: whether the broker had its session. */
  sessions: boolean[];
  /** Why each connection or attempt ended. */
  reasons: string[];
  /** Publishes once the client takes it; resolves when that is done. */
  send(topic: string, payload: string, qos: Qos): Promise<void>;
  /** Resolves when the condition holds; looked at after every callback. */
  until(condition: () => boolean): Promise<void>;
  /** Looks at the conditions again, for what is no callback of the client's. */
  look(): void;
  /** Cuts its power: connection and timers end, nothing is told to anybody. */
  powerOff(): void;
}

/** What a line of the client's log tells: online, with or without a session, or why not any more. */
export function eventOf(line: string): boolean | string {
  const online = /^mqtt: connected to \S+, session (present|new)$/.exec(line);
  if (online) return online[1] === "present";
  const ended = /^mqtt: ([a-z-]+).*; next attempt in \d+ s$/.exec(line);
  if (ended) return ended[1] as string;
  throw new Error(`log of the MQTT client, expected online or an end, got ${line}`);
}

/** The firmware's MQTT client over real TCP and time, not yet connected. Its back-off is 0 ms. */
export function createMqttDevice(port: number, options: Partial<MqttOptions> = {}): MqttDevice {
  const waiting = new Set<() => void>();
  const queue: (() => boolean)[] = [];
  const lines: string[] = [];
  const sockets: Socket[] = [];
  const clock = realClock();
  const net: Net = {
    connect(address, connected) {
      const socket = netPort.connect(address, connected);
      sockets.push(socket);
      return socket;
    },
  };
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
      net,
      clock,
      random: (length) => "\0".repeat(length) as Bytes,
      log(line) {
        lines.push(line);
        if (line.endsWith("passed over")) return look();
        const event = eventOf(line);
        if (typeof event === "string") device.reasons.push(event);
        else device.sessions.push(event);
        look();
      },
      brokers: [{ host: "127.0.0.1", port }],
      clientId: "cf-0123456789abcdef",
      keepAlive: 60,
      subscriptions: [{ topicFilter: DOWN, qos: 2 }],
      onMessage(_topic, payload) {
        device.messages.push(payload);
        look();
      },
      onReady: pump,
      onConnection: () => {},
      ...options,
    }),
    send(topic, payload, qos) {
      return new Promise((resolve) => {
        const done = () => {
          resolve();
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
    powerOff() {
      clock.stop();
      for (const socket of sockets) socket.end();
    },
  };
  return device;
}
