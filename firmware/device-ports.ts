/** What a device is given, and what those who look after it are given of it. */
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { WatchChanges } from "./changes.ts";
import type * as Cold from "./cold.ts";
import type { Provisioning, SensorConfig } from "./config.ts";
import type { Delivery } from "./delivery.ts";
import type { Life } from "./life.ts";
import type { Turn } from "./mqtt/broker.ts";
import type { Clock, Log, Net, ReportError, System } from "./ports.ts";
import type * as Certify from "./provision/certify.ts";
import type * as Reply from "./provision/conclude.ts";
import type * as Enrolment from "./provision/enrol.ts";
import type * as Roll from "./provision/roll.ts";
import type * as Command from "./provision/run-command.ts";
import type { Sensor } from "./sensors/sensor.ts";
import type { AtSleep, Resume } from "./session-list.ts";

export interface DevicePorts {
  crypto: DeviceCrypto;
  net: Net;
  clock: Clock;
  log: Log;
  report: ReportError;
  life: Life;
  /** Makes what is rarely needed; nobody holds it for long. */
  cold: () => typeof Cold;
  enrolment: () => typeof Enrolment;
  command: () => typeof Command;
  reply: () => typeof Reply;
  roll: () => typeof Roll;
  certify: () => typeof Certify;
  /** Reads from flash whom to believe. */
  provisioning: () => Provisioning;
  /** Calls back once the board has a network; at once where it always has one. */
  joinNetwork: (joined: () => void) => void;
  system: Pick<System, "storage" | "interpreter">;
  /** Restarts the board, on purpose. */
  restart: () => void;
  createSensor: (config: SensorConfig, device: Pick<RunningDevice, "delivery" | "busy">) => Sensor;
  /** Given by a board that sleeps: its sensors are read once. */
  resume?: Resume | undefined;
  /** Makes events of a sensor's changes, on a board that has such a sensor. */
  watchChanges?: WatchChanges | undefined;
}

/** A device that has started, for those who look after it. */
export interface RunningDevice {
  /** Hexadecimal. */
  kid: string;
  /** Undefined until it has what it needs to open a session. */
  delivery: Delivery | undefined;
  /** The broker at hand, and what MQTT has counted. */
  turn: Turn;
  /** Messages that did not verify. */
  refused: number;
  /** Counter of the first session of this boot. */
  firstSession: number;
  /** One for each sensor: reads it now. */
  samples: (() => void)[];
  /** While the device is without a certificate that it is to have. */
  enroller: Enrolment.DeviceEnrolment | undefined;
  /** To be called once a broker has answered, where new networks are on trial. */
  keepTrial: (() => void) | undefined;
  /** Messages that came and are still to be acted on, and sensors that have not answered. */
  busy: number;
  /** On a board that sleeps: of the delivery, and to end the connection to the broker. */
  atSleep?: AtSleep;
  drop?: (reason: string) => void;
}
