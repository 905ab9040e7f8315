/**
 * What `update` has changed of the settings that were flashed, in one record beside the
 * key: flash that Espruino compacts is not written in the field. Networks and brokers
 * come in on trial first, and count once a broker has answered.
 */
import type { Bytes } from "../../protocol/bytes.ts";
import type { DeviceRecords } from "../../protocol/cose/crypto.ts";
import type {
  BrokerUpdate,
  SensorUpdate,
  Update,
  WifiUpdate,
} from "../../protocol/update-parameters.ts";
import { type Board, checkSettings, SETTINGS_FILE, type Settings } from "../config.ts";
import { checkNetwork, type WifiNetwork } from "../network-settings.ts";
import type { Log } from "../ports.ts";

/** New networks and brokers have this long to lead to a broker: five attempts after a call that blocked. */
export const TRIAL_SECONDS = 600;

const SETTINGS_RECORD = "set";
const VERSION = 1;

interface Networks {
  wifi?: WifiUpdate[];
  brokers?: BrokerUpdate[];
}

/** The names are in flash: the bundle must not shorten them. */
export interface StoredSettings extends Networks {
  v: number;
  sensors?: SensorUpdate[];
  trial?: Networks;
  /** Counter of the command whose networks led to no broker. */
  failed?: number;
}

/** Damaged or of another version, they are as good as none: the device has what it was flashed with. */
export function readStoredSettings(store: DeviceRecords, log: Log): StoredSettings {
  try {
    const text = store.readRecord(SETTINGS_RECORD);
    const stored = text === undefined ? undefined : (JSON.parse(text) as StoredSettings);
    if (stored && stored.v === VERSION) return stored;
    if (stored) log("stored settings, expected version 1, got another");
  } catch (error) {
    log("stored settings: " + (error as Error).message);
  }
  return { v: VERSION };
}

export function writeStoredSettings(store: DeviceRecords, stored: StoredSettings): void {
  store.writeRecord(SETTINGS_RECORD, JSON.stringify(stored) as Bytes);
}

/** Puts what is stored over what was flashed; networks on trial over those that worked. */
export function applyStoredSettings(
  stored: StoredSettings,
  board: Board,
  settings: Settings,
): void {
  const networks = stored.trial || stored;
  if (networks.brokers) settings.brokers = networks.brokers;
  if (networks.wifi) settings.wifi = networks.wifi;
  (stored.sensors || []).forEach(function (update) {
    applySensor(board, update);
  });
}

/** False where the board has no such sensor. The sampler reads its values at each turn. */
export function applySensor(board: Board, update: SensorUpdate): boolean {
  const sensor = board.sensors[update.sensor];
  if (!sensor) return false;
  sensor.periodSeconds = update.periodSeconds;
  sensor.qos = update.qos;
  sensor.drop = update.drop;
  return true;
}

/** A sensor's newest values replace its older ones. */
export function mergeSensors(stored: StoredSettings, sensors: SensorUpdate[]): void {
  const others = (stored.sensors || []).filter(
    (old) => !sensors.some((each) => each.sensor === old.sensor),
  );
  stored.sensors = others.concat(sensors);
}

/** The networks that a trial would use: what the update names, and for the rest what is in use. */
export function networksOf(stored: StoredSettings, update: Update): Networks {
  const wifi = update.wifi || stored.wifi;
  const brokers = update.brokers || stored.brokers;
  const networks: Networks = {};
  if (wifi) networks.wifi = wifi;
  if (brokers) networks.brokers = brokers;
  return networks;
}

/** Adds what the cloud says of sensors and of networks that it vouches for itself, as with `enrolled`. */
export function addSettings(store: DeviceRecords, update: Update, log: Log): void {
  if (!update.sensors && !update.wifi && !update.brokers) return;
  const stored = readStoredSettings(store, log);
  if (update.sensors) mergeSensors(stored, update.sensors);
  if (update.wifi) stored.wifi = update.wifi;
  if (update.brokers) stored.brokers = update.brokers;
  writeStoredSettings(store, stored);
}

/** The network that came with `update`, or over the cable, in place of the flashed ones. */
export function openSettings(
  store: DeviceRecords,
  log: Log,
  flashed: unknown,
  board: Board,
): Settings {
  const wifi = board.network === "wifi" ? readStoredSettings(store, log).wifi : undefined;
  if (flashed && wifi) (flashed as Settings).wifi = wifi;
  return checkSettings(flashed, board);
}

/** Throws for a network that the board could not work with, such as one without a broker beyond it. */
export function checkWifi(
  store: DeviceRecords,
  log: Log,
  flashed: unknown,
  network: WifiNetwork,
): void {
  const stored = readStoredSettings(store, log);
  const brokers = (stored.trial || stored).brokers || ((flashed || {}) as Settings).brokers;
  checkNetwork(SETTINGS_FILE, { brokers: brokers, wifi: [network] }, true);
}

/** A network that the board has joined, given by whoever holds the cable: also in place of one on trial. */
export function keepWifi(store: DeviceRecords, log: Log, network: WifiNetwork): void {
  const stored = readStoredSettings(store, log);
  const wifi = [network as WifiUpdate];
  stored.wifi = wifi;
  if (stored.trial) stored.trial.wifi = wifi;
  writeStoredSettings(store, stored);
}

/** A broker has answered: what was on trial is what is used from now on. */
export function keepTrial(store: DeviceRecords, log: Log): boolean {
  const stored = readStoredSettings(store, log);
  const trial = stored.trial;
  if (!trial) return false;
  if (trial.brokers) stored.brokers = trial.brokers;
  if (trial.wifi) stored.wifi = trial.wifi;
  delete stored.trial;
  writeStoredSettings(store, stored);
  log("new network settings work: kept");
  return true;
}

/** No broker has answered: back to what worked, at the next boot. */
export function dropTrial(store: DeviceRecords, log: Log, counter: number): void {
  const stored = readStoredSettings(store, log);
  delete stored.trial;
  stored.failed = counter;
  writeStoredSettings(store, stored);
  log("new network settings lead to no broker: dropped");
}
