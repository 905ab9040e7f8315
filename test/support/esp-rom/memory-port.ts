import type { Port } from "../../../scripts/flash/port.ts";
import { createFakeBoard, type FakeBoard, type FakeBoardOptions } from "./fake-board.ts";

export interface MemoryPort extends Port {
  board: FakeBoard;
  plugIn(): void;
  /** How often it was opened. */
  opened: number;
}

interface MemoryPortOptions {
  hasLines?: boolean;
  /** False as in a browser: another rate takes closing and opening. */
  hasRate?: boolean;
  /** How long it is gone at a restart, as chips with USB of their own. */
  goneMs?: number;
}

/** A port in this process, with a fake board at its end. */
export function createMemoryPort(
  options: Omit<FakeBoardOptions, "send" | "unplug" | "vanish"> & MemoryPortOptions = {},
): MemoryPort {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let readable: ReadableStream<Uint8Array> | null = null;
  let writable: WritableStream<Uint8Array> | null = null;
  let isPlugged = true;

  function unplug(): void {
    isPlugged = false;
    controller?.error(new Error("The device has been lost."));
    controller = undefined;
  }

  const board = createFakeBoard({
    ...options,
    send: (bytes) => controller?.enqueue(bytes),
    unplug,
    vanish() {
      if (options.goneMs === undefined) return false;
      unplug();
      board.begin();
      setTimeout(() => {
        isPlugged = true;
      }, options.goneMs);
      return true;
    },
  });

  const port: MemoryPort = {
    board,
    opened: 0,
    plugIn() {
      isPlugged = true;
    },
    get readable() {
      return readable;
    },
    get writable() {
      return writable;
    },
    async open({ baudRate }) {
      if (!isPlugged) throw new Error("Failed to open serial port.");
      this.opened += 1;
      board.setRate(baudRate);
      readable = new ReadableStream<Uint8Array>({
        start(own) {
          controller = own;
        },
        cancel() {
          controller = undefined;
        },
      });
      writable = new WritableStream<Uint8Array>({
        write(bytes) {
          if (!isPlugged) throw new Error("The device has been lost.");
          // As over a wire: the answer comes later.
          queueMicrotask(() => board.receive(bytes));
        },
      });
    },
    async close() {
      readable = null;
      writable = null;
      controller = undefined;
    },
    async setSignals(signals) {
      if (options.hasLines === false) throw new Error("no such lines");
      board.setSignals(signals);
    },
    getInfo: () => ({}),
  };
  if (options.hasRate !== false) port.setBaudRate = async (rate) => board.setRate(rate);
  return port;
}
