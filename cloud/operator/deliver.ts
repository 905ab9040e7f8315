/**
 * Sends a stored command and waits for its reply. The reply is never taken from the broker:
 * `serve` verifies, opens and stores it with the command whose hash it names, and the wait
 * looks at that row alone.
 */
import { setTimeout as delay } from "node:timers/promises";
import { topicOf } from "../../protocol/topics.ts";
import type { Command } from "../store/commands.ts";
import type { Store } from "../store/store.ts";
import { obeyedCounter } from "./outcome.ts";
import type { Sender } from "./sender.ts";

export interface Timing {
  pollMs: number;
  /** Until the same bytes are sent again; each further wait is twice as long. */
  resendMs: number;
}

/**
 * One query of one row, so often that nobody waits for it. A device looks at one signature
 * in 10 s, and may have been asleep at the first.
 */
const TIMING: Timing = { pollMs: 200, resendMs: 20_000 };
const LONGEST_RESEND_MS = 3_600_000;

export interface Delivery {
  store: Store;
  sender: Sender;
  prefix: string;
  command: Command;
  timeoutMs: number;
  /** Resolves when nobody wants to wait any more. */
  stopped: Promise<void>;
  /** Each time that the broker has taken the bytes; false: nobody has subscribed there. */
  onSent?: ((isHeard: boolean) => void) | undefined;
  timing?: Timing | undefined;
}

export interface Delivered {
  /** As its row is in the end. */
  command: Command;
  end: "replied" | "timeout" | "stopped";
}

/** Sends the same bytes again and again; the device answers a repeat with the same reply. */
function keepSending({ store, sender, prefix, command, onSent, timing = TIMING }: Delivery) {
  const { device, counter, message, expiresAt } = command;
  let wait = timing.resendMs;
  let next = 0;
  let isBusy = false;
  let failure: Error | undefined;

  async function send(): Promise<void> {
    const isHeard = await sender.send(topicOf(prefix, device, "command"), message);
    await store.moveCommand(device, counter, "sent");
    onSent?.(isHeard);
  }

  return function step(now: number): void {
    if (failure) throw failure;
    if (isBusy || now < next || now > expiresAt * 1000) return;
    isBusy = true;
    next = now + wait;
    wait = Math.min(2 * wait, LONGEST_RESEND_MS);
    send()
      .catch((error: Error) => {
        failure = error;
      })
      .finally(() => {
        isBusy = false;
      });
  };
}

/** Nobody waits any more. A reply that comes later is taken all the same. */
async function giveUp(store: Store, { device, counter, action, expiresAt }: Command) {
  const isOver = Date.now() > expiresAt * 1000 && action !== "delete";
  await store.moveCommand(device, counter, isOver ? "expired" : "unconfirmed");
}

/** A promise that is raced again and again would keep every loser. */
function stopSignal(stopped: Promise<void>): {
  signal: AbortSignal;
  failed(): Error | undefined;
} {
  const stop = new AbortController();
  let failure: Error | undefined;
  stopped
    .catch((error: Error) => {
      failure = error;
    })
    .finally(() => stop.abort());
  return { signal: stop.signal, failed: () => failure };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  // Rejects when it is aborted, which only ends the pause.
  await delay(milliseconds, undefined, { signal }).catch(() => {});
}

export async function deliver(delivery: Delivery): Promise<Delivered> {
  const { store, command, timeoutMs, timing = TIMING } = delivery;
  const deadline = Date.now() + timeoutMs;
  const step = keepSending(delivery);
  const { signal, failed } = stopSignal(delivery.stopped);
  const row = async () => (await store.findCommand(command.device, command.counter)) as Command;

  for (;;) {
    const found = await row();
    if (found.state === "replied") {
      const obeyed = obeyedCounter(found);
      if (obeyed !== undefined) await store.raiseCommandCounter(command.device, obeyed);
      return { command: found, end: "replied" };
    }
    if (signal.aborted) return { command: found, end: "stopped" };
    if (Date.now() >= deadline) {
      await giveUp(store, found);
      const last = await row();
      return { command: last, end: last.state === "replied" ? "replied" : "timeout" };
    }
    step(Date.now());
    await pause(timing.pollMs, signal);
    const failure = failed();
    if (failure) throw failure;
  }
}
