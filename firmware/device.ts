/**
 * The device: its key, a session, the network, then readings until the power goes.
 * Everything it needs is given to it; main.ts does the wiring.
 */
import { fromBigEndian, toHex } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { kidOf, thumbprintOf } from "../protocol/kid.ts";
import { TOPIC_PREFIX, topicOf } from "../protocol/topics.ts";
import type { Board, SensorConfig, Settings } from "./config.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import {
  CONNECTED,
  DISCONNECTED,
  type Life,
  OPENED,
  OPENING,
  READY,
  RECEIPTED,
  STARTED,
} from "./life.ts";
import type { Turn } from "./mqtt/broker.ts";
import { createMqttClient } from "./mqtt/client.ts";
import { UNHEARD } from "./mqtt/options.ts";
import type { Clock, Log, Net, ReportError } from "./ports.ts";
import { startSampler } from "./sampler.ts";
import type { Sensor } from "./sensors/sensor.ts";
import type { Identity } from "./session.ts";

/** Seconds between two signs of life on a quiet connection. */
const KEEP_ALIVE_SECONDS = 60;

/**
 * A connection on which so many repeats went by without a receipt is ended: its broker may have
 * lost the subscription, or the cloud. Seven minutes at the usual waits: a cloud that
 * restarts is back sooner.
 */
const UNHEARD_REPEATS = 3;

export interface DevicePorts {
  crypto: DeviceCrypto;
  net: Net;
  clock: Clock;
  log: Log;
  report: ReportError;
  life: Life;
  /** Calls back once the board has a network; at once where it always has one. */
  joinNetwork: (joined: () => void) => void;
  createSensor: (config: SensorConfig) => Sensor;
  /** Makes events of a sensor's changes, on a board that has such a sensor. */
  watchChanges?:
    | ((ports: DevicePorts, delivery: Delivery, sensor: Sensor, config: SensorConfig) => void)
    | undefined;
}

/** A device that has started, for those who look after it. */
export interface RunningDevice {
  /** Hexadecimal. */
  kid: string;
  delivery: Pick<Delivery, "time" | "queued" | "drops" | "newest" | "sessions" | "rekey" | "event">;
  /** The broker at hand, and what MQTT has counted. */
  turn: Turn;
  /** Receipts that did not verify. */
  refused: number;
  /** Counter of the first session of this boot. */
  firstSession: number;
  /** One for each sensor: reads it now. */
  samples: (() => void)[];
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
 * Starts the device. Throws, before it is connected to anything, when it has no key or
 * no usable settings; runs for ever otherwise. MQTT and delivery hold on to each
 * other: the one by its callbacks, the other by `publish`.
 */
export function startDevice(ports: DevicePorts, board: Board, settings: Settings): RunningDevice {
  const crypto = ports.crypto;
  const life = ports.life;
  /** Repeats since this connection began, or the last receipt on it. */
  let unheard = 0;
  life.move(STARTED);
  const identity = openIdentity(crypto, board, ports.log);
  const kid = kidOf(identity.thumbprint);
  const prefix = settings.topicPrefix || TOPIC_PREFIX;
  const receiptTopic = topicOf(prefix, kid, "receipt");
  const cloudKey = settings.cloudPublicKey;

  const mqtt = createMqttClient({
    net: ports.net,
    clock: ports.clock,
    random: crypto.generateRandom,
    log: ports.log,
    brokers: settings.brokers,
    clientId: "cf-" + toHex(kid),
    keepAlive: KEEP_ALIVE_SECONDS,
    subscriptions: [{ topicFilter: receiptTopic, qos: 1 }],
    onReady: () => delivery.pump(),
    onConnection(connected) {
      unheard = 0;
      life.move(connected ? CONNECTED : DISCONNECTED);
    },
    onMessage(topic, payload) {
      if (topic !== receiptTopic) return;
      try {
        delivery.receipt(payload);
        unheard = 0;
      } catch (error) {
        device.refused++;
        ports.report(error, "receipt refused");
      }
    },
  });

  const delivery = createDelivery({
    crypto: crypto,
    identity: identity,
    recipients: [{ publicKey: cloudKey, thumbprint: thumbprintOf(crypto, cloudKey) }],
    clock: ports.clock,
    log: ports.log,
    publish: (messageClass, message, qos, done, kept) =>
      mqtt.publish(topicOf(prefix, kid, messageClass), message, qos, done, kept),
    queue: board.queue,
    receiptSeconds: settings.receiptSeconds || 0,
    rekeySeconds: (board.session && board.session.rekeySeconds) || 0,
    onSession: (receipted) => life.move(receipted ? RECEIPTED : OPENED),
    onUnheard() {
      // Repeats while there is no connection say nothing of the next one.
      if (life.state() < OPENING) return;
      unheard++;
      if (unheard >= UNHEARD_REPEATS) mqtt.drop(UNHEARD);
    },
  });

  const device: RunningDevice = {
    kid: toHex(kid),
    delivery: delivery,
    turn: mqtt.turn,
    refused: 0,
    firstSession: 0,
    samples: [],
  };
  delivery.start();
  device.firstSession = fromBigEndian(delivery.newest().kid);
  device.samples = board.sensors.map(function (config) {
    const sensor = ports.createSensor(config);
    if (ports.watchChanges) ports.watchChanges(ports, delivery, sensor, config);
    return startSampler(ports, delivery, sensor, config);
  });
  life.move(READY);
  ports.joinNetwork(mqtt.connect);
  return device;
}
