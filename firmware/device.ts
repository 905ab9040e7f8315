/**
 * The device: its key, a session, the network, then readings until the power goes.
 * Everything it needs is given to it; main.ts does the wiring.
 */
import { type Bytes, fromBigEndian, toHex } from "../protocol/bytes.ts";
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { kidOf, thumbprintOf } from "../protocol/kid.ts";
import { CLOUD } from "../protocol/roles.ts";
import { CLOUD_TOPIC, TOPIC_PREFIX, topicOf } from "../protocol/topics.ts";
import type * as Cold from "./cold.ts";
import type { Board, Provisioning, SensorConfig, Settings } from "./config.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import {
  ASKING,
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
import type { Clock, Log, Net, ReportError, System } from "./ports.ts";
import { requestFormOf } from "./provision/policy.ts";
import { startTrial } from "./provision/trial.ts";
import { startSampler } from "./sampler.ts";
import type { Sensor } from "./sensors/sensor.ts";
import type { Identity } from "./session.ts";
import type { Resume } from "./session-list.ts";
import { FLOOR_STEP } from "./trust.ts";
import { createVerifyLimit } from "./verify-limit.ts";

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
  /** Makes what is rarely needed; nobody holds it for long. */
  cold: () => typeof Cold;
  /** Reads from flash whom to believe. */
  provisioning: () => Provisioning;
  /** Calls back once the board has a network; at once where it always has one. */
  joinNetwork: (joined: () => void) => void;
  system: Pick<System, "storage" | "interpreter">;
  /** Restarts the board, on purpose. */
  restart: () => void;
  createSensor: (config: SensorConfig) => Sensor;
  /** Given by a board that sleeps: its sensors are read once. */
  resume?: Resume | undefined;
}

/** What deep sleep looks into. */
type AtSleep = "outbox" | "events";

/** A device that has started, for those who look after it. */
export interface RunningDevice {
  /** Hexadecimal. */
  kid: string;
  /** Undefined until it has what it needs to open a session. */
  delivery:
    | Pick<
        Delivery,
        "time" | "queued" | "drops" | "newest" | "sessions" | "rekey" | "event" | AtSleep
      >
    | undefined;
  /** The broker at hand, and what MQTT has counted. */
  turn: Turn;
  /** Messages that did not verify. */
  refused: number;
  /** Counter of the first session of this boot. */
  firstSession: number;
  /** One for each sensor: reads it now. */
  samples: (() => void)[];
  /** What must end before sleep: messages at work, a trial of networks. */
  busy: number;
  /** Sensors that have not answered yet, on a board that sleeps. */
  unread: number;
  /** Ends the connection to the broker, for this reason. */
  drop: (reason: string) => void;
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
  const clock = ports.clock;
  const life = ports.life;
  /** Repeats since this connection began, or the last receipt on it. */
  let unheard = 0;
  let delivery: Delivery | undefined;
  /** The cloud, alone in the list; nobody while no certificate of it is acceptable. */
  const recipients: Recipient[] = [];
  life.move(STARTED);
  const identity = openIdentity(crypto, board, ports.log);
  const kid = kidOf(identity.thumbprint);
  const prefix = settings.topicPrefix || TOPIC_PREFIX;
  const receiptTopic = topicOf(prefix, kid, "receipt");
  const cloudTopic = prefix + CLOUD_TOPIC;
  const commandTopic = topicOf(prefix, kid, "command");
  const mayVerify = createVerifyLimit(clock);
  const requestForm = requestFormOf(settings.provisioning || board.provisioning);
  /** To be called once a broker has answered, where new networks are on trial. */
  let settled = startTrial(ports, board, settings);

  function trust() {
    return ports.cold().openTrust(crypto, ports.provisioning(), ports.log);
  }

  /** Puts the cloud that is believed now in the list; gives the time floor. */
  function lookUpCloud(): number {
    const opened = trust();
    const cloud = opened.cloud();
    recipients.pop();
    if (cloud) recipients.push(cloud);
    else ports.log("no acceptable certificate of the cloud: waiting for one on " + cloudTopic);
    return opened.floor;
  }

  /** When receipts move the time floor on, Unix seconds. */
  let floorDue = lookUpCloud() + FLOOR_STEP;

  /** Runs by itself, since verifying takes a stack of its own; what throws is counted. */
  function later(what: string, run: () => void): void {
    device.busy++;
    clock.setTimeout(function () {
      device.busy--;
      try {
        run();
      } catch (error) {
        refuse(error, what);
      }
    }, 0);
  }

  function refuse(error: unknown, what: string): void {
    device.refused++;
    ports.report(error, what);
  }

  function stream(): void {
    const running = createDelivery({
      crypto: crypto,
      identity: identity,
      recipients: recipients,
      clock: clock,
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
    running.start(ports.resume);
    delivery = running;
    device.delivery = running;
    device.firstSession = fromBigEndian(running.newest().kid);
    const taken = ports.resume && ((step: number) => void (device.unread += step));
    device.samples = board.sensors.map((config) =>
      startSampler(ports, running, ports.createSensor(config), config, taken),
    );
  }

  /** A command; without one it goes on with what an earlier one left undone. */
  function command(message: Bytes | undefined): void {
    if (!delivery) {
      if (message !== undefined) ports.log("command passed over: there is no session yet");
      return;
    }
    const running = delivery;
    ports.cold().runCommand(
      {
        crypto: crypto,
        identity: identity,
        log: ports.log,
        board: board,
        settings: settings,
        system: ports.system,
        provisioning: ports.provisioning,
        recipients: recipients,
        mayVerify: mayVerify,
        requestForm: requestForm,
        ids: undefined,
        delivery: running,
        samples: device.samples,
        restart: ports.restart,
        trustChanged() {
          lookUpCloud();
          if (recipients.length > 0) running.rekey(true);
        },
        enrol: () => undefined,
      },
      message,
    );
  }

  function resumeCommand(): void {
    command(undefined);
  }

  /** The trial of new networks ends well: its command has waited for that. */
  function endTrial(): void {
    const keep = settled;
    settled = undefined;
    if (!keep) return;
    device.busy--;
    later("new settings", function () {
      keep();
      resumeCommand();
    });
  }

  /** A certificate of the cloud: where it is later than the one in use, a session for it follows. */
  function takeCloud(certificate: Bytes): void {
    const opened = trust();
    // It comes again with every connection.
    if (opened.has(CLOUD, certificate)) return;
    if (!mayVerify()) {
      ports.log("cloud certificate not looked at: too many in a row");
      return;
    }
    if (!opened.keep(CLOUD, certificate)) return;
    ports.log("new certificate of the cloud");
    lookUpCloud();
    if (!delivery) stream();
    else delivery.rekey(true);
    // A reply may have waited for a cloud to seal it to.
    later("command", resumeCommand);
  }

  const mqtt = createMqttClient({
    net: ports.net,
    clock: clock,
    random: crypto.generateRandom,
    log: ports.log,
    brokers: settings.brokers,
    clientId: "cf-" + toHex(kid),
    keepAlive: KEEP_ALIVE_SECONDS,
    subscriptions: [
      { topicFilter: receiptTopic, qos: 1 },
      { topicFilter: cloudTopic, qos: 1 },
      { topicFilter: commandTopic, qos: 2 },
    ],
    onReady() {
      if (delivery) delivery.pump();
    },
    onConnection(connected) {
      unheard = 0;
      life.move(connected ? (delivery ? CONNECTED : ASKING) : DISCONNECTED);
      if (connected) endTrial();
    },
    onMessage(topic, payload) {
      if (topic === cloudTopic) later("cloud certificate refused", () => takeCloud(payload));
      else if (topic === commandTopic) later("command refused", () => command(payload));
      if (topic !== receiptTopic || !delivery) return;
      try {
        const time = delivery.receipt(payload);
        unheard = 0;
        if (time < floorDue) return;
        floorDue = time + FLOOR_STEP;
        later("time floor", () => trust().advance(time, false));
      } catch (error) {
        refuse(error, "receipt refused");
      }
    },
  });

  const device: RunningDevice = {
    kid: toHex(kid),
    delivery: undefined,
    turn: mqtt.turn,
    refused: 0,
    firstSession: 0,
    samples: [],
    // A trial that fails ends in a restart.
    busy: settled ? 1 : 0,
    unread: 0,
    drop: mqtt.drop,
  };
  if (recipients.length > 0) stream();
  if (!settled) later("command", resumeCommand);
  life.move(READY);
  ports.joinNetwork(mqtt.connect);
  return device;
}
