import type { Loop } from "./loop.ts";
import type { Realm, RealmFunction } from "./realm.ts";
import type { Timers } from "./timers.ts";

/** The highest pin number of the ESP32 family (S3). */
const lastPin = 48;
/** Pins of the ESP32-C3's first converter, the one that Espruino uses. */
const analoguePins = ["D0", "D1", "D2", "D3", "D4"];
/** The converter has 12 bits. */
const analogueSteps = 4096;

interface WatchOptions {
  repeat?: boolean;
  edge?: unknown;
  debounce?: number;
}

interface Watch {
  pin: PinState;
  /** Level of the last call, or of the start. */
  state: boolean;
  changedAt: number;
  timer: number | undefined;
  edge: number;
  debounceMs: number;
  repeat: boolean;
  callback: RealmFunction;
}

interface PinState {
  mode: string;
  /** Level that the board puts out. */
  output: boolean;
  /** What is wired to the pin, and its level; undefined: nothing. */
  driven: boolean | undefined;
  /** Of the converter's range; NaN: the pin has no converter. */
  share: number;
}

/** The pins as the world outside the board has them. */
export interface Pins {
  /** Puts a level on a pin, as a pressed button does; undefined lets go of it. */
  drive(name: string, level: boolean | undefined): void;
  /** Puts a voltage on an analogue pin, as a share of the converter's range. */
  feed(name: string, share: number): void;
  /** The level on a pin. */
  level(name: string): boolean;
}

export interface PinPorts {
  realm: Realm;
  loop: Loop;
  timers: Timers;
  /** Seconds on the board's clock. */
  seconds(): number;
}

function levelOf(pin: PinState): boolean {
  if (pin.mode === "output") return pin.output;
  return pin.driven ?? pin.mode === "input_pullup";
}

function put(pin: PinState, value: unknown): void {
  pin.mode = "output";
  pin.output = Boolean(value);
}

function createPin(realm: Realm, name: string, pin: PinState): object {
  return realm.object({
    toString: () => name,
    read: () => levelOf(pin),
    set: () => put(pin, true),
    reset: () => put(pin, false),
    write: (value: unknown) => put(pin, value),
    getMode: () => pin.mode,
    mode(value: unknown) {
      pin.mode = String(value);
    },
  });
}

function edgeOf(edge: unknown): number {
  const edges = new Map<unknown, number>([
    [undefined, 0],
    ["both", 0],
    ["rising", 1],
    ["falling", -1],
  ]);
  const found = typeof edge === "number" ? Math.sign(edge) : edges.get(edge);
  if (found === undefined)
    throw new Error("'edge' in setWatch should be 1, -1, 0, 'rising', 'falling' or 'both'");
  return found;
}

function createWatches({ realm, loop, timers, seconds }: PinPorts) {
  const watches = new Map<number, Watch>();
  let last = 0;

  function call(id: number, watch: Watch): void {
    const state = levelOf(watch.pin);
    if (state === watch.state) return;
    const time = seconds();
    const event = realm.object({ state, time, lastTime: watch.changedAt });
    watch.state = state;
    watch.changedAt = time;
    if (watch.edge !== 0 && watch.edge > 0 !== state) return;
    if (!watch.repeat) watches.delete(id);
    loop.run(() => {
      watch.callback(event);
    });
  }

  return {
    add(callback: RealmFunction, pin: PinState, options: WatchOptions): number {
      // As on an ESP32, whatever its mode was.
      pin.mode = "input_pullup";
      watches.set(++last, {
        pin,
        callback,
        state: levelOf(pin),
        changedAt: seconds(),
        timer: undefined,
        edge: edgeOf(options.edge),
        debounceMs: options.debounce ?? 0,
        repeat: Boolean(options.repeat),
      });
      return last;
    },
    remove: (id: number) => watches.delete(id),
    clear: () => watches.clear(),
    /** An edge: after the last of a bounce, what has changed is told. */
    moved(pin: PinState): void {
      for (const [id, watch] of watches) {
        if (watch.pin !== pin) continue;
        if (watch.timer !== undefined) timers.remove(watch.timer);
        const wait = watch.debounceMs;
        if (wait > 0) watch.timer = timers.add(() => call(id, watch), wait, false);
        else call(id, watch);
      }
    },
  };
}

/**
 * `D0` to `D48`, `new Pin("D4")`, digitalRead, digitalWrite, pinMode and setWatch. What
 * is wired to the pins, a test drives.
 */
export function definePins(ports: PinPorts): Pins {
  const { realm } = ports;
  const pins = new Map<string, object>();
  const states = new Map<unknown, PinState>();
  const watches = createWatches(ports);

  for (let number = 0; number <= lastPin; number++) {
    const share = analoguePins.includes(`D${number}`) ? 0 : Number.NaN;
    const state: PinState = { mode: "input", output: false, driven: undefined, share };
    const pin = createPin(realm, `D${number}`, state);
    pins.set(`D${number}`, pin).set(String(number), pin);
    for (const name of [pin, `D${number}`, number]) states.set(name, state);
    realm.define(`D${number}`, pin);
  }

  function stateOf(pin: unknown): PinState {
    const state = states.get(pin);
    if (state === undefined) throw new Error("Invalid pin");
    return state;
  }

  const functions = {
    Pin: (name: unknown) => pins.get(String(name)),
    pinMode(pin: unknown, mode: unknown) {
      stateOf(pin).mode = String(mode);
    },
    analogRead(pin: unknown) {
      const step = Math.floor(stateOf(pin).share * analogueSteps);
      return Math.min(Math.max(step, 0), analogueSteps - 1) / analogueSteps;
    },
    digitalRead: (pin: unknown) => Number(levelOf(stateOf(pin))),
    digitalWrite: (pin: unknown, value: unknown) => put(stateOf(pin), value),
    setWatch(callback: unknown, pin: unknown, options?: WatchOptions | boolean) {
      if (typeof callback !== "function") throw new Error("Function or String not supplied!");
      const chosen = typeof options === "object" ? options : { repeat: Boolean(options) };
      return watches.add(callback as RealmFunction, stateOf(pin), chosen);
    },
    clearWatch(...ids: unknown[]) {
      if (ids.length === 0) watches.clear();
      else if (!watches.remove(ids[0] as number)) throw new Error("Unknown Watch");
    },
  };
  for (const [name, host] of Object.entries(functions)) realm.define(name, realm.door(host));

  return {
    drive(name, level) {
      const state = stateOf(name);
      state.driven = level;
      watches.moved(state);
    },
    feed(name, share) {
      const state = stateOf(name);
      if (Number.isNaN(state.share))
        throw new Error(`${name}, expected an analogue pin, got another`);
      state.share = share;
    },
    level: (name) => levelOf(stateOf(name)),
  };
}
