/** Modules that the build makes. Only main.ts imports them. */

declare module "coseflow:board" {
  const board: import("./config.ts").Board;
  export default board;
}

declare module "coseflow:drivers" {
  /** The factories of the drivers that the board's sensors name, by that name. */
  const drivers: {
    [driver: string]: (
      ports: import("./sensors/sensor.ts").SensorPorts,
      config: import("./config.ts").SensorConfig,
    ) => import("./sensors/sensor.ts").Sensor;
  };
  export default drivers;
}

declare module "coseflow:parts" {
  /** Day of the build, Unix seconds: what had expired by then has expired. */
  export const BUILD_TIME: number;
  /** The board is an ESP32 with its own Wi-Fi. */
  export const IS_ESP32: boolean;
  export const HAS_LED: boolean;
  /** It has a sensor on a 1-Wire bus, an analogue pin, a pin of two levels; one whose changes are events. */
  export const HAS_ONE_WIRE: boolean;
  export const HAS_ANALOGUE: boolean;
  export const HAS_INPUT: boolean;
  export const HAS_DIGITAL: boolean;
  /** One of its sensors has a range, a mean or reports on change. */
  export const IS_REFINED: boolean;
  export const HAS_BUTTON: boolean;
  /** Its console is not locked. */
  export const IS_OPEN: boolean;
  /** It sleeps deeply; and: it should, and is no chip that can. */
  export const SLEEPS: boolean;
  export const STAYS_AWAKE: boolean;
  /** Of the package. */
  export const VERSION: string;
}

declare module "coseflow:cold" {
  /** Makes the functions of cold.ts, which are gone with the last of them that is held. */
  export function loadCold(): typeof import("./cold.ts");
  /** The same for what provisioning needs at a time. */
  export function loadEnrolment(): typeof import("./provision/enrol.ts");
  export function loadCommand(): typeof import("./provision/run-command.ts");
  export function loadReply(): typeof import("./provision/conclude.ts");
  export function loadRoll(): typeof import("./provision/roll.ts");
  export function loadCertify(): typeof import("./provision/certify.ts");
  /** And what a board with Wi-Fi needs to be given a network. */
  export function loadSetup(): typeof import("./espruino/setup.ts");
}
