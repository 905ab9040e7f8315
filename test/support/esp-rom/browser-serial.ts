import type { Page } from "playwright-core";
import type { MemoryPort } from "./memory-port.ts";

/** What a page calls, and is called by. */
interface Bridge {
  serialCall(call: "open" | "close" | "write" | "signals", value?: unknown): Promise<void>;
  /** Bytes from the board in base64; null when it is gone. */
  serialTake(text: string | null): void;
  /** How often the page has asked for a port. */
  serialAsked: number;
}

/** Runs in the page: a Web Serial with one port that is another object each time it comes back. */
function installSerial(): void {
  const bridge = window as unknown as Bridge;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  function createPort() {
    return {
      isGone: false,
      readable: null as ReadableStream<Uint8Array> | null,
      writable: null as WritableStream<Uint8Array> | null,
      async open({ baudRate }: { baudRate: number }) {
        if (this.isGone) throw new DOMException("Failed to open serial port.", "NetworkError");
        await bridge.serialCall("open", baudRate);
        this.readable = new ReadableStream({
          start(own) {
            controller = own;
          },
          cancel() {
            controller = undefined;
          },
        });
        this.writable = new WritableStream({
          write: (bytes) => bridge.serialCall("write", btoa(String.fromCharCode(...bytes))),
        });
      },
      async close() {
        controller = undefined;
        this.readable = null;
        this.writable = null;
        await bridge.serialCall("close");
      },
      setSignals: (signals: object) => bridge.serialCall("signals", signals),
      getInfo: () => ({ usbVendorId: 0x10c4, usbProductId: 0xea60 }),
    };
  }

  let port = createPort();
  bridge.serialAsked = 0;
  bridge.serialTake = (text) => {
    if (text !== null)
      return controller?.enqueue(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    controller?.error(new DOMException("The device has been lost.", "NetworkError"));
    controller = undefined;
    port.isGone = true;
    port = createPort();
  };
  const serial = {
    async requestPort() {
      bridge.serialAsked += 1;
      return port;
    },
    getPorts: async () => [port],
  };
  Object.defineProperty(navigator, "serial", { value: serial });
}

/** Puts a port of this process in the place of a page's Web Serial. */
export async function plugIntoPage(page: Page, port: MemoryPort): Promise<void> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const take = (text: string | null) =>
    page.evaluate((it) => (window as unknown as Bridge).serialTake(it), text);

  async function readAll(own: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await own.read();
        if (done) return;
        await take(Buffer.from(value).toString("base64"));
      }
    } catch {
      if (!page.isClosed()) await take(null);
    }
  }

  const calls = {
    async open(baudRate: number) {
      await port.open({ baudRate });
      reader = port.readable?.getReader();
      if (reader !== undefined) void readAll(reader);
    },
    async close() {
      await reader?.cancel().catch(() => {});
      await port.close();
    },
    async write(text: string) {
      const writer = port.writable?.getWriter();
      await writer?.write(new Uint8Array(Buffer.from(text, "base64")));
      writer?.releaseLock();
    },
    signals: (signals: object) => port.setSignals(signals),
  };
  await page.exposeFunction("serialCall", (call: keyof typeof calls, value: never) =>
    calls[call](value),
  );
  await page.addInitScript(installSerial);
}

/** How often a page has asked for a port. */
export function countAsked(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as Bridge).serialAsked);
}
