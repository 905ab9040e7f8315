/**
 * A serial port as the flashing core sees it: the part of the Web Serial API that it
 * uses. A browser's port is one as it is; scripts/serial/node-port.ts makes one in Node.
 */
export interface Port {
  /** Both null while the port is closed; made anew each time it is opened. */
  readonly readable: ReadableStream<Uint8Array> | null;
  readonly writable: WritableStream<Uint8Array> | null;
  open(options: { baudRate: number }): Promise<void>;
  close(): Promise<void>;
  /** Rejects where the port has no such lines. */
  setSignals(signals: Signals): Promise<void>;
  getInfo(): { usbVendorId?: number; usbProductId?: number };
  /** Where the rate can change without closing; a browser closes and opens. */
  setBaudRate?(baudRate: number): Promise<void>;
}

export interface Signals {
  dataTerminalReady?: boolean;
  requestToSend?: boolean;
}

/** Of the loader in the chip's ROM and of Espruino's console. */
export const BAUD_RATE = 115_200;

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Gives all that arrives to `take`, until the port is closed, is gone, or the reader is cancelled. */
export async function readToItsEnd(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      take(value);
    }
  } catch {
    // A port that is gone ends with an error of the system.
  }
}
