/**
 * The life of the device: its key, a session, the network, then readings until the
 * power goes. Everything it needs is given to it; main.ts does the wiring.
 */
import { type Bytes, fromHex, toHex } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../protocol/kid.ts";
import { TOPIC_PREFIX, topicOf } from "../protocol/topics.ts";
import type { Board, SensorConfig, Settings } from "./config.ts";
import { createDelivery } from "./delivery.ts";
import type { ReportError } from "./error-record.ts";
import { createMqttClient } from "./mqtt/client.ts";
import type { Clock, Log, Net, RunningDevice } from "./ports.ts";
import { startSampler } from "./sampler.ts";
import type { Sensor } from "./sensors/sensor.ts";
import type { Identity } from "./session.ts";

/** Seconds between two signs of life on a quiet connection. */
const KEEP_ALIVE_SECONDS = 60;

export interface DevicePorts {
  crypto: DeviceCrypto;
  net: Net;
  clock: Clock;
  log: Log;
  report: ReportError;
  /** Calls back once the board has a network; at once where it always has one. */
  joinNetwork: (joined: () => void) => void;
  createSensor: (config: SensorConfig) => Sensor;
}

function openIdentity(crypto: DeviceCrypto, board: Board, log: Log): Identity {
  const key = crypto.openDeviceKey();
  const publicKey = crypto.exportPublicKey(key);
  const thumbprint = thumbprintOf(crypto, publicKey);
  log("coseflow on " + board.name + ", device " + toHex(kidOf(thumbprint)));
  log("register it: coseflow device register --key " + toHex(publicKey));
  return { key: key, thumbprint: thumbprint };
}

/**
 * Starts the device. Throws when it has no key or no usable settings; runs for ever
 * otherwise. MQTT and delivery hold on to each other: the one by its callbacks, the
 * other by `publish`.
 */
export function startDevice(ports: DevicePorts, board: Board, settings: Settings): RunningDevice {
  const crypto = ports.crypto;
  const log = ports.log;
  const identity = openIdentity(crypto, board, log);
  const kid = kidOf(identity.thumbprint);
  const prefix = settings.topicPrefix || TOPIC_PREFIX;
  const receiptTopic = topicOf(prefix, kid, "receipt");
  const cloudKey = fromHex(settings.cloudPublicKey) as Bytes;

  const link = { online: false, connects: 0, malformed: 0 };
  let refused = 0;

  const mqtt = createMqttClient({
    link: link,
    net: ports.net,
    clock: ports.clock,
    random: crypto.generateRandom,
    log: log,
    host: settings.broker.host,
    port: settings.broker.port,
    clientId: "cf-" + toHex(kid),
    username: settings.broker.username,
    password: settings.broker.password,
    keepAlive: KEEP_ALIVE_SECONDS,
    subscriptions: [{ topicFilter: receiptTopic, qos: 1 }],
    onReady: () => delivery.pump(),
    onMessage(topic, payload) {
      if (topic !== receiptTopic) return;
      try {
        delivery.receipt(payload);
      } catch (error) {
        refused++;
        ports.report("receipt refused", error);
      }
    },
  });

  const delivery = createDelivery({
    crypto: crypto,
    identity: identity,
    recipients: [{ publicKey: cloudKey, thumbprint: thumbprintOf(crypto, cloudKey) }],
    clock: ports.clock,
    log: log,
    publish: (messageClass, message, qos, done) =>
      mqtt.publish(topicOf(prefix, kid, messageClass), message, qos, done),
    queueLimit: board.queue.readings,
    receiptSeconds: settings.receiptSeconds || 0,
  });

  delivery.open();
  ports.joinNetwork(mqtt.connect);
  const samples = board.sensors.map((config) =>
    startSampler(ports, delivery, ports.createSensor(config), config),
  );

  return {
    state() {
      if (!link.online) return "network";
      return delivery.summary().receipted ? "streaming" : "opening";
    },
    vitals() {
      const summary = delivery.summary();
      return {
        kid: toHex(kid),
        broker: settings.broker.host + ":" + settings.broker.port,
        time: delivery.time(),
        queued: summary.queued,
        dropped: delivery.drops(),
        sessions: summary.sessions,
        reconnects: Math.max(0, link.connects - 1),
        refused: refused,
        malformed: link.malformed,
      };
    },
    rekey: delivery.rekey,
    sendEvent: (pack) => delivery.accept(pack, 1),
    sendNow() {
      samples.forEach((sample) => {
        sample();
      });
    },
  };
}
