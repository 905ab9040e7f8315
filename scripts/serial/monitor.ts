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

/** The end of it, once for all that wait: to ask a promise anew for each chunk would keep every asking. */
interface Stop {
  isAsked: boolean;
  /** Of whoever waits now. */
  wake(): void;
}

/** Shows a board's lines until it is stopped. A port that goes away is waited for. */
export async function monitor(port: Port, options: MonitorOptions): Promise<void> {
  const stop: Stop = { isAsked: false, wake() {} };
  const end = () => {
    stop.isAsked = true;
    stop.wake();
  };
  options.stopped.then(end, end);
  // Whoever names a port that is not there has mistyped it: only a known one is waited for.
  await open(port);
  options.onPort("connected");
  for (;;) {
    await follow(port, stop, options.onLine);
    await port.close().catch(() => {});
    // Rejects where it ends for another reason than that it was told to.
    if (stop.isAsked) return options.stopped;
    options.onPort("gone: waiting for it");
    await waitFor(port, stop);
    if (!stop.isAsked) options.onPort("connected again");
  }
}

async function open(port: Port): Promise<void> {
  await port.open({ baudRate: BAUD_RATE });
  await port.setSignals({ dataTerminalReady: false, requestToSend: false }).catch(() => {});
}

/** Shows lines until the port ends, or it is stopped. */
async function follow(port: Port, stop: Stop, onLine: (line: string) => void): Promise<void> {
  const lines = createLineReader(onLine);
  if (port.readable === null || stop.isAsked) return;
  const reader = port.readable.getReader();
  stop.wake = () => void reader.cancel().catch(() => {});
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      lines.take(value);
    }
  } catch {
    // A port that is gone ends with an error of the system.
  }
  stop.wake = () => {};
  if (lines.rest() !== "" && lines.rest() !== ">") onLine(lines.rest());
  reader.releaseLock();
}

/** Looks for the port until it opens, or it is stopped. */
async function waitFor(port: Port, stop: Stop): Promise<void> {
  while (!stop.isAsked) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      stop.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    stop.wake = () => {};
    try {
      if (!stop.isAsked) return await open(port);
    } catch {
      // Not there yet, or there and not ours yet.
    }
  }
}
