import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { CLASSES, type MessageClass } from "../../protocol/topics.ts";
import { deliverTheRest, deliveryOptions } from "./mqtt-hooks.ts";

/** How long the broker keeps our session, with what arrives meanwhile: an outage of a week. */
const SESSION_EXPIRY = 7 * 24 * 3600;
/** Messages the broker may send ahead of our acknowledgements. */
const RECEIVE_MAXIMUM = 64;
/** Four times the longest message: what is a little too long is refused and counted, the rest not sent. */
const MAXIMUM_PACKET_SIZE = 16384;
const KEEP_ALIVE = 30;
const CONNECT_MS = 10_000;
/** Messages of ours not yet acknowledged by the broker; beyond it there is no point in sending more. */
const MAX_UNACKNOWLEDGED = 256;
/** How long an orderly end waits for the broker to take what is on its way. */
const END_MS = 2000;

export interface MqttMessage {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
}

export interface MqttOptions {
  /** mqtt://, mqtts://, ws:// or wss:// */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Must stay the same, or the broker's stored session is not found again. */
  clientId: string;
  prefix: string;
}

/** What one connection tells its owner. Each is called at most once, but `receive`. */
export interface MqttEvents {
  /**
   * Commits a message; it is acknowledged when the promise resolves, and what that
   * gives is called afterwards. A rejection withholds the acknowledgement and ends
   * the connection.
   */
  receive(message: MqttMessage): Promise<() => void>;
  /** Connected and subscribed. */
  open(version: 4 | 5): void;
  /** The connection is over, or never came to be. */
  closed(cause: MqttCause): void;
}

/** Why a connection ended. */
export type MqttCause =
  /** The broker does not speak this version. */
  | { kind: "version" }
  /** `receive` rejected. */
  | { kind: "internal"; error: unknown }
  /** The network, the broker, or us by `end`. */
  | { kind: "network"; error: Error | undefined };

export interface PublishOptions {
  /** 1 where nothing is said. Lower where the broker has granted no subscription that much. */
  qos?: 1 | 2;
  retain?: boolean;
}

/** One connection. It is never reopened: what it knows of packets would be out of date. */
export interface MqttConnection {
  /** False when it cannot be sent now. */
  publish(topic: string, payload: Buffer, options?: PublishOptions): boolean;
  ready(): boolean;
  /** Finishes the message at hand, sends DISCONNECT and resolves when all is over. */
  end(): Promise<void>;
}

/** CONNACK of MQTT 3.1.1 brokers (1) and of MQTT 5 brokers (132) for a version they refuse. */
const VERSION_REFUSED = [1, 132];

/** What the cloud listens to, with the quality of service of each class. */
function subscriptions(prefix: string): Record<string, { qos: 0 | 1 | 2 }> {
  const topics: Record<string, { qos: 0 | 1 | 2 }> = {};
  for (const name of Object.keys(CLASSES) as MessageClass[]) {
    const { up, qos } = CLASSES[name];
    if (up) topics[`${prefix}/+/${name}`] = { qos };
  }
  return topics;
}

function clientOptions(options: MqttOptions, version: 4 | 5): IClientOptions {
  const { clientId, username, password } = options;
  return {
    protocolVersion: version,
    clientId,
    clean: false,
    keepalive: KEEP_ALIVE,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(version === 4
      ? {}
      : {
          properties: {
            sessionExpiryInterval: SESSION_EXPIRY,
            receiveMaximum: RECEIVE_MAXIMUM,
            maximumPacketSize: MAXIMUM_PACKET_SIZE,
          },
        }),
  };
}

/** Opens one connection of the given MQTT version with a persistent session. */
export function openConnection(
  options: MqttOptions,
  version: 4 | 5,
  events: MqttEvents,
): MqttConnection {
  let cause: MqttCause = { kind: "network", error: undefined };
  let subscribed = false;
  let maxQos: number = 0;
  let canRetain = true;
  let over = false;
  let ending = false;
  let unacknowledged = 0;
  let atHand: Promise<void> = Promise.resolve();

  async function commit(packet: IPublishPacket, acknowledge: () => void): Promise<void> {
    const { topic, payload, qos } = packet;
    try {
      const afterwards = await events.receive({ topic, payload: payload as Buffer, qos });
      if (!over) acknowledge();
      afterwards();
    } catch (error) {
      stop({ kind: "internal", error });
    }
  }

  function deliver(packet: IPublishPacket, acknowledge: () => void): void {
    if (!ending && !over) atHand = commit(packet, acknowledge);
  }

  const client: MqttClient = mqtt.connect(options.url, {
    ...clientOptions(options, version),
    ...deliveryOptions(version, deliver),
  });
  deliverTheRest(client, version, deliver);

  function stop(why: MqttCause): void {
    if (cause.kind === "network" && cause.error === undefined) cause = why;
    client.end(true);
  }

  function refusedTopics(granted: { topic: string; qos: number }[]): string[] {
    return granted.filter(({ qos }) => qos > 2).map(({ topic }) => topic);
  }

  async function subscribe(): Promise<void> {
    try {
      const granted = await client.subscribeAsync(subscriptions(options.prefix));
      const refused = refusedTopics(granted);
      if (refused.length > 0) throw new Error(`broker refused to subscribe to ${refused}`);
      // A broker without QoS 2 says so here, whatever its version of MQTT.
      maxQos = Math.max(...granted.map(({ qos }) => qos));
      subscribed = true;
      events.open(version);
    } catch (error) {
      stop({ kind: "network", error: error as Error });
    }
  }

  client.on("connect", ({ properties }) => {
    canRetain = properties?.retainAvailable !== false;
    void subscribe();
  });
  client.on("error", (error) => {
    const code = (error as { code?: unknown }).code;
    const refused = version === 5 && VERSION_REFUSED.includes(code as number);
    stop(refused ? { kind: "version" } : { kind: "network", error });
  });
  client.on("disconnect", ({ reasonCode }) => {
    const reason = reasonCode === 142 ? "another client took the session over" : reasonCode;
    cause = { kind: "network", error: new Error(`broker disconnected: ${reason}`) };
  });
  client.on("close", () => {
    if (over) return;
    over = true;
    client.end(true);
    events.closed(cause);
  });

  async function end(): Promise<void> {
    ending = true;
    await atHand;
    if (over) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => client.stream.destroy(), END_MS);
      client.once("close", () => {
        clearTimeout(force);
        resolve();
      });
      client.end(!client.connected);
    });
  }

  return {
    publish(topic, payload, { qos = 1, retain = false } = {}) {
      if (over || !subscribed || unacknowledged >= MAX_UNACKNOWLEDGED) return false;
      // Against its word it would end the connection, each time.
      if (retain && !canRetain) return false;
      unacknowledged++;
      const used = Math.min(qos, maxQos) as 0 | 1 | 2;
      client.publish(topic, payload, { qos: used, retain }, () => unacknowledged--);
      return true;
    },
    ready: () => subscribed && !over && unacknowledged < MAX_UNACKNOWLEDGED,
    end,
  };
}
