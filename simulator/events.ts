import type { Loop } from "./loop.ts";

type Listener = (...values: unknown[]) => unknown;

/** Espruino's events: any object can have listeners, and they run from the queue, in order. */
export interface Events {
  on(target: object, event: string, listener: Listener): void;
  remove(target: object, event: string, listener: Listener): void;
  removeAll(target: object, event?: string): void;
  has(target: object, event: string): boolean;
  emit(target: object, event: string, values: unknown[]): void;
  /** Called once whenever a listener is added to the target. */
  watch(target: object, added: () => void): void;
}

export function createEvents(loop: Loop): Events {
  const listeners = new WeakMap<object, Map<string, Listener[]>>();
  const watchers = new WeakMap<object, () => void>();
  const of = (target: object, event: string) => listeners.get(target)?.get(event) ?? [];

  return {
    on(target, event, listener) {
      const events = listeners.get(target) ?? new Map<string, Listener[]>();
      listeners.set(target, events.set(event, [...of(target, event), listener]));
      watchers.get(target)?.();
    },
    remove(target, event, listener) {
      const rest = of(target, event).filter((known) => known !== listener);
      listeners.get(target)?.set(event, rest);
    },
    removeAll(target, event) {
      if (event === undefined) listeners.delete(target);
      else listeners.get(target)?.delete(event);
    },
    has: (target, event) => of(target, event).length > 0,
    emit(target, event, values) {
      // One task each: a listener that throws does not keep the next from running.
      for (const listener of of(target, event))
        loop.run(() => {
          Reflect.apply(listener, target, values);
        });
    },
    watch(target, added) {
      watchers.set(target, added);
    },
  };
}
