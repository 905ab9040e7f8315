import type { Bytes } from "../protocol/bytes.ts";

/**
 * What the device's logic asks of its board. The shapes are Espruino's own where
 * it has them, so that firmware/espruino/ stays thin; tests bring their own.
 */

/** A TCP connection as Espruino's `net` module gives it. */
export interface Socket {
  /**
   * Queues bytes. Espruino gives no back-pressure here (always false) and queues
   * without limit, so callers wait for "drain" between packets. Throws when closed.
   */
  write(data: Bytes): boolean;
  /** Closes once everything written has been sent. Never throws, on a closed one neither. */
  end(): void;
  /** "data": bytes as TCP cut them, up to 536 at a time. */
  on(event: "data", listener: (data: Bytes) => void): void;
  /** "drain": everything written has been handed to TCP. */
  on(event: "drain", listener: () => void): void;
  on(event: "close", listener: (hadError: boolean) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
}

export interface Net {
  /**
   * Connects; throws at once on a refused connection or an unknown host, and on
   * the ESP32 blocks until it knows. `connected` is called later, with the socket; with
   * `tls` before the handshake, and one that fails is a "close" like any other.
   */
  connect(
    options: { host: string; port: number; tls: boolean },
    connected: (socket: Socket) => void,
  ): Socket;
}

/** Timers and the time since boot. There is no trusted wall clock on the device. */
export interface Clock {
  /** Seconds since boot, with fractions; never steps back. */
  uptime(): number;
  setTimeout(callback: () => void, milliseconds: number): number;
  /** Stops a timer; an id that is not running is no error. */
  clearTimeout(id: number): void;
}

/** An I2C bus, Espruino's shape. Both calls throw when the address does not acknowledge. */
export interface I2c {
  writeTo(address: number, data: number[]): void;
  readFrom(address: number, quantity: number): ArrayLike<number>;
}

/** A 1-Wire bus, Espruino's shape. It waits while it works: half a millisecond a byte. */
export interface OneWire {
  /** True when somebody is there. */
  reset(): boolean;
  /** All devices are meant, without a reset. */
  skip(): void;
  /** One device is meant, by its ROM code; resets first, and does not tell who is there. */
  select(rom: string): void;
  /** `power`: the line is driven high afterwards, for devices that live on it. */
  write(data: number | number[], power: boolean): void;
  read(count: number): ArrayLike<number>;
}

/** A pin with two levels, which of them means on already worked out. */
export interface DigitalInput {
  isOn(): boolean;
  /** Calls back after each change, or each change to on; with `debounceMs` once it has been still so long. */
  watch(edge: "both" | "on", debounceMs: number, changed: () => void): void;
}

/** One line for the console. Never given a secret. */
export type Log = (line: string) => void;

/** Random bytes from the C module: the only source of randomness, jitter included. */
export type Random = (length: number) => Bytes;

/** Espruino's own objects, for what keeps the device alive: handed on as they are, they cost nothing. */
export interface System {
  /** Espruino's `E`. */
  interpreter: {
    enableWatchdog(seconds: number, isAuto: boolean): void;
    kickWatchdog(): void;
    /** What has gone wrong since the last look, "MEMORY" among it. */
    getErrorFlags(): string[];
    /** Resets the chip; nothing runs afterwards. */
    reboot(): void;
  };
  process: {
    /** Collects garbage, then counts variables. */
    memory(): { free: number };
    on(event: "uncaughtException", listener: (error: unknown) => void): void;
  };
  storage: {
    read(name: string): Bytes | undefined;
    /** Erases what was there, then writes: a power cut leaves neither. */
    write(name: string, content: Bytes): void;
    erase(name: string): void;
  };
  /** On an ESP32 only. */
  esp32:
    | {
        /** 0: the reset was no wake from deep sleep. */
        getWakeupCause(): number;
        /** The chip starts anew after so many microseconds; nothing runs afterwards. */
        deepSleep(microseconds: number): void;
        getState(): { freeHeap: number };
      }
    | undefined;
  /** On a board with Wi-Fi only. */
  wifi: { getStatus(): { rssi?: number } } | undefined;
}

/** A button, with the level that means pressed already worked out. */
export interface ButtonInput {
  isPressed(): boolean;
  /** Calls back after the contact has moved and been still for `debounceMs`. */
  watch(debounceMs: number, changed: () => void): void;
}

/** Logs an error that ended nothing, and keeps it. Without `what` it is one that nobody caught. */
export type ReportError = (error: unknown, what?: string) => void;
