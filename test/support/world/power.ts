/**
 * The power of one device. Every step that could be its last is a point, counted from the
 * boot on; a plan says at which the power goes. What the device calls afterwards
 * throws: its code runs on for as long as it catches that, and reaches nothing.
 */
export class PowerCut extends Error {}

export interface Power {
  isOn(): boolean;
  /** Points passed since this boot. */
  points(): number;
  /** Cuts it, wherever the device is. */
  off(): void;
  /** Nothing of this boot runs any more, and it is no cut: the board sleeps. */
  halt(): void;
  /** Throws when the power is off. */
  check(): void;
  /** A point: throws if this is the one, or if the power is off. */
  pass(): void;
  /** A write that is cut after any number of its bytes, up to all: how many are written. */
  passBytes(length: number): number;
  /** Runs a piece of the device's program; what it throws but a cut goes to `uncaught`. */
  run(task: () => void): void;
}

export interface PowerOptions {
  /** The point at which the power goes, from 1; undefined: it stays. */
  cutAt: number | undefined;
  /** After how many bytes a write of this length may be cut. */
  tornAt(length: number): number[];
  cut(): void;
  uncaught(error: unknown): void;
}

/** The ends, and one in the middle. */
export function someTears(length: number): number[] {
  return [...new Set([0, 1, length >> 1, length - 1, length])];
}

/** Longer writes are erasures, all bytes alike. */
const LONGEST_ENTRY = 1200;
const ERASURE_STEP = 256;

export function allTears(length: number): number[] {
  const step = length > LONGEST_ENTRY ? ERASURE_STEP : 1;
  const tears: number[] = [];
  for (let at = 0; at < length; at += step) tears.push(at);
  return [...tears, length];
}

export function createPower({ cutAt, tornAt, cut, uncaught }: PowerOptions): Power {
  let isOn = true;
  let points = 0;

  function check(): void {
    if (!isOn) throw new PowerCut();
  }
  function off(): void {
    if (!isOn) return;
    isOn = false;
    cut();
  }
  function isLast(): boolean {
    points++;
    if (points === cutAt) off();
    return points === cutAt;
  }

  return {
    isOn: () => isOn,
    points: () => points,
    off,
    halt() {
      isOn = false;
    },
    check,
    pass() {
      check();
      if (isLast()) throw new PowerCut();
    },
    passBytes(length) {
      check();
      return tornAt(length).find(isLast) ?? length;
    },
    run(task) {
      if (!isOn) return;
      try {
        task();
      } catch (error) {
        if (!(error instanceof PowerCut)) uncaught(error);
      }
    },
  };
}
