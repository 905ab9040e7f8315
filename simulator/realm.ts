import { types } from "node:util";
import vm from "node:vm";
import type { Events } from "./events.ts";
import type { Loop } from "./loop.ts";
import { prelude } from "./prelude.ts";
import { globals, hiddenPrototypes, members } from "./surface.ts";

/** A function of the host as the bundle calls it: its values come from the bundle, unchecked. */
// biome-ignore lint/suspicious/noExplicitAny: the bundle may pass anything; each function checks what it uses
export type HostFunction = (this: unknown, ...values: any[]) => unknown;
export type RealmFunction = (...values: unknown[]) => unknown;

/** The bare JavaScript context of one board. What its makers return belongs to the context. */
export interface Realm {
  evaluate(text: string, filename: string): unknown;
  /** Adds a global name. */
  define(name: string, value: unknown): void;
  global(name: string): unknown;
  door(host: HostFunction): RealmFunction;
  /** An object with these members; functions become doors. */
  object(source: Record<string, unknown>): object;
  array(source: unknown[]): unknown[];
  bytes(source: Uint8Array): Uint8Array;
  /** A value as the console prints it. */
  text(value: unknown): string;
  stringify(value: unknown): string;
  parse(text: string): unknown;
}

/** Thrown by host functions where Espruino throws an InternalError (its network does). */
export function internalError(message: string): Error {
  return Object.assign(new Error(message), { internal: true });
}

interface Thrown {
  message: string;
  code?: unknown;
  internal?: boolean;
}

function describeThrown(thrown: unknown): Thrown {
  if (!types.isNativeError(thrown)) return { message: String(thrown) };
  const { message, code, internal } = thrown as Error & Thrown;
  return { message, code, internal: internal === true };
}

/**
 * Every call from the bundle to the host passes here. Once the power is off it only
 * throws, so that code cut in the middle can neither send nor store anything more.
 */
function callHost(loop: Loop, host: HostFunction, self: unknown, values: ArrayLike<unknown>) {
  const off = { thrown: { message: "the power is off" } };
  if (!loop.running) return off;
  try {
    const value = Reflect.apply(host, self, Array.from(values));
    return loop.running ? { value } : off;
  } catch (thrown) {
    return { thrown: describeThrown(thrown) };
  }
}

function eventPorts(events: Events) {
  return {
    on: function (this: object, event: string, listener: RealmFunction) {
      events.on(this, event, listener);
    },
    emit: function (this: object, event: string, ...values: unknown[]) {
      events.emit(this, event, values);
    },
    removeListener: function (this: object, event: string, listener: RealmFunction) {
      events.remove(this, event, listener);
    },
    removeAllListeners: function (this: object, event?: string) {
      events.removeAll(this, event);
    },
  };
}

export interface RealmPorts {
  loop: Loop;
  events: Events;
  /** The next number of Espruino's own generator, 31 bits. */
  random(): number;
  /** The board's clock in milliseconds. */
  milliseconds(): number;
  unhandled(reason: unknown): void;
}

export function createRealm(ports: RealmPorts): Realm {
  const sandbox: Record<string, unknown> = Object.create(null);
  const context = vm.createContext(sandbox, { codeGeneration: { strings: true, wasm: false } });
  const install = vm.runInContext(prelude, context, { filename: "prelude" });
  const inside = install(globals, members, hiddenPrototypes, {
    ...eventPorts(ports.events),
    call: (host: HostFunction, self: unknown, values: ArrayLike<unknown>) =>
      callHost(ports.loop, host, self, values),
    post: (task: () => void) => ports.loop.run(task),
    random: ports.random,
    milliseconds: ports.milliseconds,
    unhandled: ports.unhandled,
  }) as Omit<Realm, "evaluate" | "define" | "global">;

  return {
    ...inside,
    evaluate: (text, filename) => vm.runInContext(text, context, { filename }),
    global: (name) => sandbox[name],
    define(name, value) {
      Object.defineProperty(sandbox, name, { value, writable: true, configurable: true });
    },
  };
}
