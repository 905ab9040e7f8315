/**
 * The command `delete`: erasing, and what is left to do afterwards. Every step is done again
 * after a power cut, and none is left out: the farewell file is the first thing written
 * and the last to go.
 */
import { toHex } from "../../protocol/bytes.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import { TOPIC_PREFIX, topicOf } from "../../protocol/topics.ts";
import { SETTINGS_FILE, type Settings } from "../config.ts";
import { eraseStore, factoryReset } from "../factory-reset.ts";
import type { Turn } from "../mqtt/broker.ts";
import type { createMqttClient } from "../mqtt/client.ts";
import type { Clock, Log, Net, System } from "../ports.ts";
import { FAREWELL_FILE, FAREWELL_SECONDS, type Farewell, writeFarewell } from "./farewell.ts";

/** Seconds between two signs of life on a quiet connection. */
const KEEP_ALIVE_SECONDS = 60;

/** Record that says: all was erased, to the end. What is written after an erasure that was cut goes with the next. */
const ERASED_RECORD = "gone";
const ERASED = "\x01";

export interface ErasePorts {
  crypto: DeviceCrypto;
  log: Log;
  system: Pick<System, "storage" | "interpreter">;
}

/**
 * From here on there is no way back: the reply to where an erasure does not reach, then the
 * erasure, then a restart, which wipes what is in memory. Without room for the reply the
 * device is erased all the same, its settings too, and the cloud never hears of it.
 */
export function eraseDevice(ports: ErasePorts, farewell: Farewell): void {
  const storage = ports.system.storage;
  ports.log("deleted by command: erasing keys, sessions and queue");
  try {
    writeFarewell(ports.crypto, storage, farewell);
  } catch (error) {
    ports.log("no reply will be sent: " + (error as Error).message);
    factoryReset(ports);
    return;
  }
  eraseStore(ports.crypto, ports.log);
  ports.system.interpreter.reboot();
}

/** At each boot: what a power cut left of the erasure. */
export function completeErasure(crypto: DeviceCrypto, log: Log): void {
  let isErased = false;
  try {
    isErased = crypto.readRecord(ERASED_RECORD) === ERASED;
  } catch (error) {
    log("record " + ERASED_RECORD + ": " + (error as Error).message);
  }
  if (!isErased && eraseStore(crypto, log)) crypto.writeRecord(ERASED_RECORD, ERASED as never);
}

/** The network settings, then the file that kept this device from living on. */
export function endFarewell(ports: ErasePorts): void {
  const storage = ports.system.storage;
  eraseStore(ports.crypto, ports.log);
  storage.erase(SETTINGS_FILE);
  storage.erase(FAREWELL_FILE);
  ports.log("device deprovisioned: nothing is left");
  ports.system.interpreter.reboot();
}

export interface FarewellPorts extends ErasePorts {
  net: Net;
  clock: Clock;
  onConnection: (connected: boolean) => void;
}

/** Sends the reply until a broker has it, or for a day. Gives what a person may look at, and `connect`. */
export function startFarewell(
  createClient: typeof createMqttClient,
  ports: FarewellPorts,
  settings: Settings,
  farewell: Farewell,
): { kid: string; turn: Turn; connect: () => void } {
  const prefix = settings.topicPrefix || TOPIC_PREFIX;
  const topic = topicOf(prefix, farewell.kid, "reply");
  const kid = toHex(farewell.kid);
  let isSent = false;

  function end(): void {
    // A settings file that cannot be erased is no reason to send on.
    try {
      endFarewell(ports);
    } catch (error) {
      ports.log("deprovisioning: " + (error as Error).message);
    }
  }

  completeErasure(ports.crypto, ports.log);
  const mqtt = createClient({
    net: ports.net,
    clock: ports.clock,
    random: ports.crypto.generateRandom,
    log: ports.log,
    brokers: settings.brokers,
    clientId: "cf-" + kid,
    keepAlive: KEEP_ALIVE_SECONDS,
    // Whatever still comes for this device is taken from the broker, and of no use.
    subscriptions: [{ topicFilter: topicOf(prefix, farewell.kid, "command"), qos: 1 }],
    onReady() {
      if (!isSent) isSent = mqtt.publish(topic, farewell.reply, 2, end);
    },
    onConnection: ports.onConnection,
    onMessage: () => undefined,
  });
  ports.clock.setTimeout(end, FAREWELL_SECONDS * 1000);
  return { kid: kid, turn: mqtt.turn, connect: mqtt.connect };
}
