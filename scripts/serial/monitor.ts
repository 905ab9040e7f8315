import { createLineReader } from "../flash/console-text.ts";
import { BAUD_RATE, type Port } from "../flash/port.ts";

export interface MonitorOptions {
  onLine(line: string): void;
  /** What happens to the port itself. */
  onPort(text: string): void;
  stopped: Promise<void>;
}

/** How often a port that is gone is looked for. */
const LOOK_MS = 500;

/** Resolves to what happens first. */
const first = <A, B>(a: Promise<A>, b: Promise<B>): Promise<A | B> => Promise.race([a, b]);

/** Shows a board's lines until it is stopped. A port that goes away is waited for. */
export async function monitor(port: Port, options: MonitorOptions): Promise<void> {
  const stop = options.stopped.then(() => "stop" as const);
  // Whoever names a port that is not there has mistyped it: only a known one is waited for.
  await open(port);
  options.onPort("connected");
  for (;;) {
    const ended = await follow(port, stop, options.onLine);
    await port.close().catch(() => {});
    if (ended === "stop") return;
    options.onPort("gone: waiting for it");
    if ((await waitFor(port, stop)) === "stop") return;
    options.onPort("connected again");
  }
}

async function open(port: Port): Promise<void> {
  await port.open({ baudRate: BAUD_RATE });
  await port.setSignals({ dataTerminalReady: false, requestToSend: false }).catch(() => {});
}

async function follow(
  port: Port,
  stop: Promise<"stop">,
  onLine: (line: string) => void,
): Promise<"stop" | "gone"> {
  const lines = createLineReader(onLine);
  const reader = (port.readable as ReadableStream<Uint8Array>).getReader();
  try {
    for (;;) {
      const came = await first(reader.read(), stop);
      if (came === "stop") {
        await reader.cancel();
        return "stop";
      }
      if (came.done) return "gone";
      lines.take(came.value);
    }
  } catch {
    return "gone";
  } finally {
    if (lines.rest() !== "" && lines.rest() !== ">") onLine(lines.rest());
    reader.releaseLock();
  }
}

async function waitFor(port: Port, stop: Promise<"stop">): Promise<"stop" | "open"> {
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<"look">((resolve) => {
      timer = setTimeout(() => resolve("look"), LOOK_MS);
    });
    const came = await first(waited, stop);
    clearTimeout(timer);
    if (came === "stop") return "stop";
    try {
      await open(port);
      return "open";
    } catch {
      // Not there yet, or there and not ours yet.
    }
  }
}
