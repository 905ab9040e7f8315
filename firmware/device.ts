/**
 * The device: its key, a session, the network, then readings until the power goes.
 * Everything it needs is given to it; main.ts does the wiring.
 */
import { toHex } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../protocol/kid.ts";
import { TOPIC_PREFIX, topicOf } from "../protocol/topics.ts";
import { makeBootReport } from "./boot-report.ts";
import type { Board, SensorConfig, Settings } from "./config.ts";
import { createDelivery } from "./delivery.ts";
import {
  CONNECTED,
  createLife,
  DISCONNECTED,
  OPENED,
  READY,
  RECEIPTED,
  STARTED,
  STATE_NAMES,
} from "./life.ts";
import { createMqttClient } from "./mqtt/client.ts";
import type { Clock, Log, Net } from "./ports.ts";
import { startSampler } from "./sampler.ts";
import type { Sensor } from "./sensors/sensor.ts";
import type { Identity } from "./session.ts";

/** Seconds between two signs of life on a quiet connection. */
const KEEP_ALIVE_SECONDS = 60;

/** From the first receipt of a boot to the report of it: readings that wait go first. */
const REPORT_SECONDS = 30;

export interface DevicePorts {
  crypto: DeviceCrypto;
  net: Net;
  clock: Clock;
  log: Log;
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
export function startDevice(ports: DevicePorts, board: Board, settings: Settings): void {
  const crypto = ports.crypto;
  const log = ports.log;
  let reported = false;
  const life = createLife((state) => log("state: " + STATE_NAMES[state]));
  life.move(STARTED);
  const identity = openIdentity(crypto, board, log);
  const kid = kidOf(identity.thumbprint);
  const prefix = settings.topicPrefix || TOPIC_PREFIX;
  const receiptTopic = topicOf(prefix, kid, "receipt");
  const cloudKey = settings.cloudPublicKey;

  const mqtt = createMqttClient({
    net: ports.net,
    clock: ports.clock,
    random: crypto.generateRandom,
    log: log,
    brokers: settings.brokers,
    clientId: "cf-" + toHex(kid),
    keepAlive: KEEP_ALIVE_SECONDS,
    subscriptions: [{ topicFilter: receiptTopic, qos: 1 }],
    onReady: () => delivery.pump(),
    onConnection: (connected) => life.move(connected ? CONNECTED : DISCONNECTED),
    onMessage(topic, payload) {
      if (topic !== receiptTopic) return;
      try {
        delivery.receipt(payload);
      } catch (error) {
        log("receipt refused: " + (error as Error).message);
      }
    },
  });

  const delivery = createDelivery({
    crypto: crypto,
    identity: identity,
    recipients: [{ publicKey: cloudKey, thumbprint: thumbprintOf(crypto, cloudKey) }],
    clock: ports.clock,
    log: log,
    publish: (messageClass, message, qos, done, kept) =>
      mqtt.publish(topicOf(prefix, kid, messageClass), message, qos, done, kept),
    queue: board.queue,
    receiptSeconds: settings.receiptSeconds || 0,
    rekeySeconds: (board.session && board.session.rekeySeconds) || 0,
    onSession(receipted) {
      life.move(receipted ? RECEIPTED : OPENED);
      if (!receipted || reported) return;
      reported = true;
      ports.clock.setTimeout(report, REPORT_SECONDS * 1000);
    },
  });

  function report(): void {
    try {
      const pack = makeBootReport({
        time: delivery.time(),
        uptime: Math.floor(ports.clock.uptime()),
        session: delivery.session(),
        sequence: delivery.sequence(),
        queued: delivery.queued(),
        drops: delivery.drops(),
      });
      delivery.event(pack);
    } catch (error) {
      log("boot report not sent: " + (error as Error).message);
    }
  }

  delivery.start();
  life.move(READY);
  ports.joinNetwork(mqtt.connect);
  board.sensors.forEach((config) => {
    startSampler(ports, delivery, ports.createSensor(config), config);
  });
}
