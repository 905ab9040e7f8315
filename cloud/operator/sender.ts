/** The operator's own connection to the broker: it publishes commands, and hears nothing. */
import { randomBytes } from "node:crypto";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import type { Bytes } from "../../protocol/bytes.ts";
import { toBuffer } from "../crypto/convert.ts";
import { addressOf, describe } from "../receiver/broker.ts";

const CONNECT_MS = 10_000;
const RECONNECT_MS = 1000;
const KEEP_ALIVE = 30;
/** CONNACK of MQTT 3.1.1 brokers (1) and of MQTT 5 brokers (132) for a version they refuse. */
const VERSION_REFUSED: unknown[] = [1, 132];
/** PUBACK or PUBREC of MQTT 5: nobody has subscribed, so the broker keeps nothing. */
const NO_SUBSCRIBERS = 16;
const ID_BYTES = 8;

export interface SenderOptions {
  /** mqtt://, mqtts://, ws:// or wss:// */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** 1 for a broker without QoS 2. */
  maxQos?: 1 | 2 | undefined;
  /** Between two connections. It goes on by itself: what is on its way is sent again. */
  onLost?: ((message: string) => void) | undefined;
}

export interface Sender {
  /**
   * Resolves when the broker has taken the message; false when it says that nobody listens
   * there, so that it has thrown it away. Few say it: none on MQTT 3.1.1, and Mosquitto only
   * at QoS 1.
   */
  send(topic: string, message: Bytes): Promise<boolean>;
  close(): Promise<void>;
}

function clientOptions(options: SenderOptions, protocolVersion: 4 | 5): IClientOptions {
  const { username, password } = options;
  return {
    protocolVersion,
    // Two operators at once are two clients, and neither is the device or the cloud.
    clientId: `cf-op-${randomBytes(ID_BYTES).toString("hex")}`,
    clean: true,
    keepalive: KEEP_ALIVE,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: RECONNECT_MS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

async function connect(options: SenderOptions): Promise<MqttClient> {
  const open = (version: 4 | 5) =>
    mqtt.connectAsync(options.url, clientOptions(options, version), false);
  try {
    return await open(5);
  } catch (error) {
    if (!VERSION_REFUSED.includes((error as { code?: unknown }).code)) throw error;
    return open(4);
  }
}

/** Connects; rejects when the broker cannot be reached now, so that nothing is issued in vain. */
export async function openSender(options: SenderOptions): Promise<Sender> {
  const { url, maxQos = 2, onLost = () => {} } = options;
  const broken = (error: Error | undefined) =>
    `broker ${addressOf(url)}: ${describe({ kind: "network", error })}`;
  const client = await connect(options).catch((error: Error) => {
    throw new Error(broken(error), { cause: error });
  });
  let closing = false;
  let lastError: Error | undefined;
  let isHeard = true;

  // Without a listener an error between two connections would end the process.
  client.on("error", (error) => {
    lastError = error;
  });
  client.on("close", () => {
    if (!closing) onLost(broken(lastError));
    lastError = undefined;
  });
  client.on("packetreceive", (packet) => {
    if (packet.cmd === "pubrec" || packet.cmd === "puback")
      isHeard = packet.reasonCode !== NO_SUBSCRIBERS;
  });

  return {
    async send(topic, message) {
      try {
        await client.publishAsync(topic, toBuffer(message, "command"), { qos: maxQos });
      } catch (error) {
        throw new Error(
          `broker ${addressOf(url)}, expected it to take the command, got ${(error as Error).message}`,
        );
      }
      return isHeard;
    },
    async close() {
      closing = true;
      await client.endAsync(true);
    },
  };
}
