import type { Port } from "../../../scripts/flash/port.ts";

export interface Noise {
  /** A byte in so many that go to the device is another. */
  sent: number;
  /** As many of those that come from it. */
  received: number;
}

/** What a byte becomes: of letters, digits and brackets other ones, and control characters. */
const FLIP = 0x15;

/** Bytes with every n-th changed, counted over all of them. */
function createChanger(every: number): (bytes: Uint8Array) => Uint8Array {
  let count = 0;
  return (bytes) =>
    bytes.map((byte) => {
      count += 1;
      return count % every === 0 ? byte ^ FLIP : byte;
    });
}

/** A port with a bad cable: the same noise each time. */
export function addNoise(port: Port, noise: Noise): Port {
  const changeSent = createChanger(noise.sent);
  const changeReceived = createChanger(noise.received);
  let readable: ReadableStream<Uint8Array> | null = null;
  return {
    get readable() {
      return readable;
    },
    get writable() {
      const real = port.writable;
      if (real === null) return null;
      return new WritableStream<Uint8Array>({
        async write(bytes) {
          const writer = real.getWriter();
          try {
            await writer.write(changeSent(bytes));
          } finally {
            writer.releaseLock();
          }
        },
      });
    },
    async open(options) {
      await port.open(options);
      const reader = (port.readable as ReadableStream<Uint8Array>).getReader();
      readable = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { value, done } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(changeReceived(value));
        },
        cancel: () => reader.cancel(),
      });
    },
    async close() {
      readable = null;
      await port.close();
    },
    setSignals: (signals) => port.setSignals(signals),
    getInfo: () => port.getInfo(),
  };
}
