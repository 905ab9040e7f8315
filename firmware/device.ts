/** The device: its key, a session, the network, then readings until the power goes. */
import { type Bytes, fromBigEndian, toHex } from "../protocol/bytes.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { kidOf } from "../protocol/kid.ts";
import { CLOUD } from "../protocol/roles.ts";
import { CLOUD_TOPIC, TOPIC_PREFIX, topicOf } from "../protocol/topics.ts";
import type { Board, Settings } from "./config.ts";
import { createDelivery, type DeliveryOptions } from "./delivery.ts";
import type { DevicePorts, RunningDevice } from "./device-ports.ts";
import {
  ASKING,
  CONNECTED,
  DISCONNECTED,
  ENROLLING,
  OPENED,
  READY,
  RECEIPTED,
  STARTED,
} from "./life.ts";
import { createMqttClient } from "./mqtt/client.ts";
import { UNHEARD } from "./mqtt/options.ts";
import type { Subscription } from "./mqtt/packet.ts";
import { CERTIFIED, CHANGED } from "./provision/roll-record.ts";
import { startSampler } from "./sampler.ts";
import { FLOOR_STEP } from "./trust.ts";
import { createVerifyLimit } from "./verify-limit.ts";

/** Seconds between two signs of life on a quiet connection. */
const KEEP_ALIVE_SECONDS = 60;

/**
 * So many repeats without a receipt end a connection: its broker may have lost the subscription,
 * or the cloud. Seven minutes at the usual waits: a cloud that restarts is back sooner.
 */
const UNHEARD_REPEATS = 3;

/**
 * Starts the device. Throws, before it connects, when it has no key or no usable settings; runs for
 * ever otherwise. MQTT and delivery hold on to each other: by callbacks, and by `publish`.
 */
export function startDevice(ports: DevicePorts, board: Board, settings: Settings): RunningDevice {
  const crypto = ports.crypto;
  const clock = ports.clock;
  const life = ports.life;
  /** Step of a key roll (roll-record.ts), CERTIFIED also where it is given up; 0 without one. */
  let rolling = 0;
  /** Who the device is, once it has enrolled. */
  let ids: { deviceId: Bytes; userId: Bytes } | undefined;
  /** The cloud, alone in the list; nobody while no certificate of it is acceptable. */
  const recipients: Recipient[] = [];
  life.move(STARTED);
  const identity = ports.cold().openIdentity(crypto, board, ports.log);
  const kid = kidOf(identity.thumbprint);
  const prefix = settings.topicPrefix || TOPIC_PREFIX;
  const receiptTopic = topicOf(prefix, kid, "receipt");
  const cloudTopic = prefix + CLOUD_TOPIC;
  /** A key that is to replace this one has a topic of its own. */
  const enrolled: Subscription = { topicFilter: topicOf(prefix, kid, "enrolled"), qos: 2 };
  const commandTopic = topicOf(prefix, kid, "command");
  const mayVerify = createVerifyLimit(clock);
  const requestForm = ports.cold().requestFormOf(settings.provisioning || board.provisioning);
  const trial = ports.cold().startTrial(ports, board, settings);

  function trust() {
    const provisioning = ports.provisioning(); // Before: two that are cold at once are too many.
    return ports.cold().openTrust(crypto, provisioning, ports.log);
  }

  /** Puts the cloud that is believed now in the list; gives the time floor. */
  function lookUpCloud(): number {
    const opened = trust();
    opened.putCloud(recipients);
    if (recipients.length === 0)
      ports.log("no acceptable certificate of the cloud: waiting for one on " + cloudTopic);
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

  const publish: DeliveryOptions["publish"] = (messageClass, message, qos, done, kept) =>
    mqtt.publish(topicOf(prefix, kid, messageClass), message, qos, done, kept);

  function onUnheard(): void {
    if (life.state() < ENROLLING) return; // Without a connection they say nothing of the next one.
    if (++mqtt.turn.unheard >= UNHEARD_REPEATS) mqtt.drop(UNHEARD);
  }

  function stream(): void {
    const running = createDelivery({
      losses: ports.cold().openLosses(crypto, ports.log),
      crypto: crypto,
      identity: identity,
      recipients: recipients,
      clock: clock,
      log: ports.log,
      publish: publish,
      queue: board.queue,
      receiptSeconds: settings.receiptSeconds || 0,
      rekeySeconds: (board.session && board.session.rekeySeconds) || 0,
      onSession: (receipted) => life.move(receipted ? RECEIPTED : OPENED),
      onUnheard: onUnheard,
    });
    const atSleep = running.start(ports.resume);
    device.delivery = running;
    if (ports.resume) device.atSleep = atSleep;
    device.firstSession = fromBigEndian(running.newest().kid);
    device.samples = board.sensors.map((config, i) => startSampler(ports, device, config, 1 << i));
    for (const sample of device.samples) later("sensor", sample); // A boot is deep in calls here.
  }

  /** What enrolment and commands are given. */
  function parts(isLarge?: boolean) {
    if (isLarge && device.delivery) device.delivery.spill(Infinity, true); // It needs the memory.
    return {
      crypto: crypto,
      identity: identity,
      recipients: recipients,
      clock: clock,
      log: ports.log,
      board: board,
      settings: settings,
      system: ports.system,
      provisioning: ports.provisioning(), // Before it is made that this is for: both are cold.
      publish: publish,
      onUnheard: onUnheard,
      mayVerify: mayVerify,
      requestForm: requestForm,
      ids: ids,
      samples: device.samples,
      later: later,
      restart: ports.restart,
      // Later: what asks for it is cold, and gone then.
      trustChanged: () => later("new session", renew),
      enrol: () => later("enrolment", proceed),
    };
  }

  /** Enrols where that is still to be done, streams where it can, waits without a cloud to seal to. */
  function proceed(): void {
    if (recipients.length === 0) return;
    const provisioning = ports.provisioning();
    const to = ports.cold().enrolmentDue(crypto, provisioning, ports.log);
    ids = to.ids;
    rolling = to.rolling;
    const topic = topicOf(prefix, to.newKid || kid, "enrolled");
    if (topic !== enrolled.topicFilter) mqtt.drop("another topic"); // It subscribes anew.
    enrolled.topicFilter = topic;
    if (device.enroller) device.enroller.end();
    device.enroller = undefined;
    if (to.asked) {
      const enrolment = ports.enrolment().createEnrolment(parts(), to.asked);
      device.enroller = enrolment;
      enrolment.start();
      enrolment.pump();
    }
    if (to.mayStream && !device.delivery) stream();
  }

  function takeEnrolled(message: Bytes): void {
    if (rolling !== 0 && ports.certify().certifyKey(parts(true), message)) rolling = CERTIFIED;
    if (rolling === CERTIFIED) command(undefined, true);
    if (!device.enroller || !device.enroller.receive(message)) return;
    device.enroller = undefined; // What is cold goes before more of it is made.
    lookUpCloud();
    proceed();
    command();
  }

  /** A command, or the next step of a key roll; without one it goes on with what was left undone. */
  function command(message?: Bytes, isRoll?: boolean): void {
    const delivery = device.delivery;
    if (!delivery) {
      if (message !== undefined) ports.log("command passed over: there is no session yet");
      return;
    }
    const taking = parts(message !== undefined || isRoll);
    const isOver = isRoll && ports.roll().continueRoll(taking, delivery);
    const end = isRoll ? undefined : ports.command().runCommand(taking, message);
    if (end) ports.reply().concludeCommand(taking, delivery.reply, end);
    if (isOver) ports.restart();
  }

  /** The trial of new networks ends well: its command has waited for that. */
  function endTrial(): void {
    if (device.keepTrial) device.keepTrial();
    device.keepTrial = undefined;
    later("command", command);
  }

  /** Another certificate of the cloud may be in use from now on: a session for it follows. */
  function renew(): void {
    lookUpCloud();
    if (recipients.length === 0) return;
    if (device.delivery) device.delivery.rekey(true);
    proceed();
    // A reply may have waited for a cloud to seal it to.
    later("command", command);
  }

  /** A certificate of the cloud: where it is later than the one in use it replaces that. */
  function takeCloud(certificate: Bytes): void {
    const opened = trust();
    if (opened.has(CLOUD, certificate)) return; // It comes again with every connection.
    if (!mayVerify()) {
      ports.log("cloud certificate not looked at: too many in a row");
      return;
    }
    if (!opened.keep(CLOUD, certificate)) return;
    ports.log("new certificate of the cloud");
    later("new session", renew);
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
      enrolled,
    ],
    onReady() {
      if (device.enroller) device.enroller.pump();
      if (device.delivery) device.delivery.pump();
    },
    onConnection(connected) {
      mqtt.turn.unheard = 0;
      life.move(connected ? (device.delivery ? CONNECTED : ASKING) : DISCONNECTED);
      if (connected && device.keepTrial) later("new settings", endTrial);
    },
    onMessage(topic, payload) {
      if (topic === cloudTopic) later("cloud certificate refused", () => takeCloud(payload));
      else if (topic === enrolled.topicFilter)
        later("enrolled refused", () => takeEnrolled(payload));
      else if (topic === commandTopic) later("command refused", () => command(payload));
      if (topic !== receiptTopic || !device.delivery) return;
      try {
        const time = device.delivery.receipt(payload);
        mqtt.turn.unheard = 0;
        if (rolling === CHANGED || (rolling === CERTIFIED && !device.delivery.queued()))
          later("new key", () => command(undefined, true));
        if (time < floorDue) return;
        floorDue = time + FLOOR_STEP;
        later("time floor", function () {
          trust().advance(time, false);
          if (rolling !== 0) proceed();
        });
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
    enroller: undefined,
    keepTrial: trial,
    busy: 0,
  };
  if (ports.resume) device.drop = mqtt.drop;
  proceed();
  if (!trial) later("command", command);
  life.move(READY);
  ports.joinNetwork(mqtt.connect);
  return device;
}
