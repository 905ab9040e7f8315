import { connect as connectTls } from "node:tls";
import mqtt, { type IConnackPacket, type MqttClient } from "mqtt";

const CONNECT_MS = 5000;

/** What the receiver asks the broker to keep its session for: an outage of a week. */
export const SESSION_SECONDS = 7 * 24 * 3600;

export interface BrokerLogin {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
}

/** A connection, or why there is none; no error is a broker that closed without a word. */
export type Attempt =
  | { client: MqttClient; connack: IConnackPacket }
  | { error: (Error & { code?: string | number }) | undefined };

/** One attempt with one version of MQTT. */
export function attemptConnection(login: BrokerLogin, version: 4 | 5): Promise<Attempt> {
  const { url, username, password } = login;
  return new Promise((resolve) => {
    const client = mqtt.connect(url, {
      protocolVersion: version,
      reconnectPeriod: 0,
      connectTimeout: CONNECT_MS,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(version === 5 ? { properties: { sessionExpiryInterval: SESSION_SECONDS } } : {}),
    });
    const refuse = (error: Error | undefined) => {
      client.end(true);
      resolve({ error });
    };
    client.on("error", refuse);
    client.once("close", () => refuse(undefined));
    client.once("connect", (connack) => resolve({ client, connack }));
  });
}

/** Ends it, and with it the session that the broker would keep for a week. */
export async function endConnection(client: MqttClient, version: 4 | 5): Promise<void> {
  if (!client.connected) return void client.end(true);
  if (version === 4) return client.endAsync();
  return client.endAsync(false, { properties: { sessionExpiryInterval: 0 } });
}

/** Whether a port answers a TLS handshake, with whatever certificate. */
export function speaksTls(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_MS, () => end(false));
    socket.once("secureConnect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });
}
