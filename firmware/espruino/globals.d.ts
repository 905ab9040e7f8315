/** The globals of Espruino that this folder and main.ts use, and no others. */
declare function require(name: "devcrypto"): unknown;
declare function require(name: "net" | "tls"): import("../ports.ts").Net;
declare function require(name: "fs"): { readFileSync(path: string): string };
declare function require(name: "Storage"): {
  readJSON(name: string, noExceptions: boolean): unknown;
} & import("../ports.ts").System["storage"];
declare function require(name: "Wifi"): import("./wifi-module.ts").Wifi;

declare function setTimeout(callback: () => void, milliseconds: number): number;
declare function clearTimeout(id: number): void;
/** Seconds, with fractions. */
declare function getTime(): number;
declare const console: { log(line: string): void };

declare class Pin {
  constructor(name: string);
}
interface EspruinoI2c extends EspruinoI2cPort {
  setup(options: { sda: Pin; scl: Pin; bitrate: number }): void;
}
type EspruinoI2cPort = import("../ports.ts").I2c;
declare const I2C1: EspruinoI2c;
declare const process: import("../ports.ts").System["process"] & {
  version: string;
  env: { BOARD: string };
};

declare const E: import("../ports.ts").System["interpreter"] & {
  setConsole(device: SerialLine | null, options: { force: boolean }): void;
  /** null where it was taken away. */
  getConsole(): string | null;
};
/** Bytes come in pieces of up to 255; while the console is on it none come as an event. */
interface SerialLine {
  on(event: "data", listener: (data: import("../../protocol/bytes.ts").Bytes) => void): void;
  write(data: string): void;
}
declare const Serial1: SerialLine;
/** What is written to one comes out of the other. */
declare const LoopbackA: SerialLine;
declare const LoopbackB: SerialLine;
/** On ESP32 builds only. */
declare const ESP32: import("../ports.ts").System["esp32"];

declare function pinMode(pin: Pin, mode: "input" | "input_pullup"): void;
declare function digitalRead(pin: Pin): number;
declare function digitalWrite(pin: Pin, on: boolean): void;
declare function setWatch(
  changed: () => void,
  pin: Pin,
  options: { repeat: boolean; edge: "both" | "rising" | "falling"; debounce: number },
): number;
/** 0 to 1; NaN for a pin without a converter. */
declare function analogRead(pin: Pin): number;
declare class OneWire {
  constructor(pin: Pin);
}
interface OneWire extends EspruinoOneWire {}
type EspruinoOneWire = import("../ports.ts").OneWire;
