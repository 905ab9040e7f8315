/**
 * What a request or an update does. All that can be refused is looked at before anything
 * changes, and each step can be done again: a power cut repeats the whole.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import { ACTION_REQUEST, type Command, FORM_SEALED } from "../../protocol/command-content.ts";
import { LAST_DEVICE_COUNTER } from "../../protocol/content-parts.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { CoseflowError } from "../../protocol/errors.ts";
import {
  REASON_BUSY,
  REASON_CERTIFICATE,
  REASON_DEVICE,
  REASON_SETTINGS,
  STATUS_DONE,
  STATUS_REFUSED,
} from "../../protocol/reply-message.ts";
import type { SensorUpdate, Update } from "../../protocol/update-parameters.ts";
import { type Board, SETTINGS_FILE, type Settings } from "../config.ts";
import { checkNetwork } from "../network-settings.ts";
import type { Log } from "../ports.ts";
import type { Outcome } from "./command.ts";
import {
  applySensor,
  mergeSensors,
  networksOf,
  readStoredSettings,
  writeStoredSettings,
} from "./stored-settings.ts";

/** Counters left above one that is moved to, at least: a device at the last could sign nothing more. */
const COUNTER_ROOM = 1048576;

export interface ActionPorts {
  crypto: DeviceCrypto;
  log: Log;
  board: Board;
  settings: Settings;
  /** False for a device that was registered by hand: it has nothing to enrol with. */
  hasIds: boolean;
  /**
   * Takes over certificates and "issued not before" in one write; without any change, and
   * throws "certificate", where one breaks a rule.
   */
  updateTrust: (update: Update) => void;
  /** Enrols (again); the same request twice is one. */
  enrol: (deviceId: Bytes, userId: Bytes, claim: Bytes | undefined) => void;
  /** Reads this sensor now, and then at its new period. */
  sample: (sensor: number) => void;
  /** Restarts the board, on purpose. */
  restart: () => void;
  /** Id of the device's key. */
  keyId: string;
  /** False while a new key has no place. */
  mayRoll: (command: Command) => boolean;
  /** Makes a new key, for the reply to tell of. */
  roll: (command: Command) => Outcome | undefined;
}

export function createActions(ports: ActionPorts) {
  const crypto = ports.crypto;

  function refused(reason: number): Outcome {
    return { status: STATUS_REFUSED, detail: reason };
  }

  function done(): Outcome {
    return { status: STATUS_DONE, detail: 0 };
  }

  function request(command: Command, form: number): Outcome {
    // In a form that others can read or make it repeats an enrolment, and begins none.
    if (!ports.hasIds && form !== FORM_SEALED) return refused(REASON_DEVICE);
    ports.enrol(command.deviceId, command.userId, command.claim);
    return done();
  }

  /** False, and a line that says why, for values that this board cannot work with. */
  function canUse(update: Update): boolean {
    const hasWifi = ports.board.network === "wifi";
    const counter = update.deviceCounter;
    const sensors = update.sensors || [];
    try {
      checkNetwork(
        SETTINGS_FILE,
        {
          brokers: update.brokers || ports.settings.brokers,
          wifi: update.wifi || ports.settings.wifi,
        },
        hasWifi,
      );
    } catch (error) {
      ports.log("update refused: " + (error as Error).message);
      return false;
    }
    return (
      (hasWifi || update.wifi === undefined) &&
      (counter === undefined || counter <= LAST_DEVICE_COUNTER - COUNTER_ROOM) &&
      sensors.every((each) => each.sensor < ports.board.sensors.length)
    );
  }

  function updateSensors(sensors: SensorUpdate[]): void {
    const stored = readStoredSettings(crypto, ports.log);
    mergeSensors(stored, sensors);
    writeStoredSettings(crypto, stored);
    sensors.forEach(function (each) {
      applySensor(ports.board, each);
      ports.sample(each.sensor);
    });
  }

  /** undefined while new networks are on trial: the next boot tells how that ended. */
  function updateNetworks(command: Command, update: Update): Outcome | undefined {
    const stored = readStoredSettings(crypto, ports.log);
    if (stored.failed === command.counter) return refused(REASON_SETTINGS);
    // On trial right now, in this boot or the next.
    if (stored.trial) return undefined;
    const next = networksOf(stored, update);
    const now = networksOf(stored, {});
    if (JSON.stringify(next) === JSON.stringify(now)) return done();
    stored.trial = next;
    delete stored.failed;
    writeStoredSettings(crypto, stored);
    ports.log("new network settings: restarting to try them");
    ports.restart();
    return undefined;
  }

  function update(command: Command, change: Update): Outcome | undefined {
    if (change.roll && !ports.mayRoll(command)) return refused(REASON_BUSY);
    if (!canUse(change)) return refused(REASON_SETTINGS);
    try {
      ports.updateTrust(change);
    } catch (error) {
      if ((error as CoseflowError).code !== "certificate") throw error;
      ports.log("update refused: " + (error as Error).message);
      return refused(REASON_CERTIFICATE);
    }
    if (change.deviceCounter !== undefined) crypto.moveCounter(ports.keyId, change.deviceCounter);
    if (change.sensors) updateSensors(change.sensors);
    if (change.wifi || change.brokers) {
      const outcome = updateNetworks(command, change);
      if (outcome === undefined || outcome.status !== STATUS_DONE) return outcome;
    }
    return change.roll ? ports.roll(command) : done();
  }

  return function act(command: Command, form: number): Outcome | undefined {
    if (command.action === ACTION_REQUEST) return request(command, form);
    return update(command, command.update as Update);
  };
}
