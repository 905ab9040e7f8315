import type { Port } from "../../../scripts/flash/port.ts";
import { createFakeBoard, type FakeBoard, type FakeBoardOptions } from "./fake-board.ts";

export interface MemoryPort extends Port {
  board: FakeBoard;
  plugIn(): void;
  /** How often it was opened. */
  opened: number;
}

/** A port in this process, with a fake board at its end; as a browser's, but for the rate. */
export function createMemoryPort(
  options: Omit<FakeBoardOptions, "send" | "unplug"> & { hasLines?: boolean } = {},
): MemoryPort {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let readable: ReadableStream<Uint8Array> | null = null;
  let writable: WritableStream<Uint8Array> | null = null;
  let isPlugged = true;

  const board = createFakeBoard({
    ...options,
    send: (bytes) => controller?.enqueue(bytes),
    unplug() {
      isPlugged = false;
      controller?.error(new Error("The device has been lost."));
      controller = undefined;
    },
  });

  return {
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
    async setBaudRate(rate) {
      board.setRate(rate);
    },
  };
}
