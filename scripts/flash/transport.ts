import { Transport } from "esptool-js";
import type { Port, Signals } from "./port.ts";

/** esptool-js wants a browser's port whole; it uses no more of it than `Port` has. */
type BrowserPort = ConstructorParameters<typeof Transport>[0];

/** A port whose reset lines may be missing: a program's terminal and some cables have none. */
export interface ResetLines {
  port: Port;
  /** False once a line could not be set. */
  arePresent(): boolean;
}

export function withResetLines(port: Port): ResetLines {
  let present = true;
  const tolerant: Port = {
    get readable() {
      return port.readable;
    },
    get writable() {
      return port.writable;
    },
    open: (options) => port.open(options),
    close: () => port.close(),
    getInfo: () => port.getInfo(),
    async setSignals(signals: Signals) {
      if (!present) return;
      try {
        await port.setSignals(signals);
      } catch {
        present = false;
      }
    },
  };
  if (port.setBaudRate !== undefined)
    tolerant.setBaudRate = (baudRate) => port.setBaudRate?.(baudRate) ?? Promise.resolve();
  return { port: tolerant, arePresent: () => present };
}

export class PortLost extends Error {}

/** esptool-js's own, which does not notice that the port is gone and writes to the console. */
export class LoaderTransport extends Transport {
  private lost = false;
  private leaving = false;

  constructor(port: Port) {
    super(port as unknown as BrowserPort, false);
  }

  /** Whether the port ended by itself. */
  get isLost(): boolean {
    return this.lost;
  }

  override trace(): void {}

  override async connect(baud?: number): Promise<void> {
    this.leaving = false;
    await super.connect(baud);
  }

  override async readLoop(): Promise<void> {
    await super.readLoop();
    this.lost = !this.leaving;
  }

  override async write(data: Uint8Array): Promise<void> {
    if (this.lost) throw new PortLost("port, expected it to stay, got its end");
    await super.write(data);
  }

  override async disconnect(): Promise<void> {
    this.leaving = true;
    await super.disconnect();
  }
}
