import { statSync } from "node:fs";
import { SerialPort } from "serialport";
import type { Port } from "../flash/port.ts";

/** What serialport calls back, as a promise. */
function promised(call: (done: (error: Error | null | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}

/** How often an open port is looked for. */
const LOOK_MS = 250;

/** Which device a path leads to; undefined where to none. */
function deviceAt(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}:${found.rdev}`;
}

/**
 * Closes a port whose device is gone. Linux gives whoever reads an unplugged one nothing
 * for ever, which serialport takes for a pause and asks again without end.
 */
function watchDevice(serial: SerialPort, path: string): void {
  const device = deviceAt(path);
  const timer = setInterval(() => {
    if (deviceAt(path) === device || !serial.isOpen) return;
    clearInterval(timer);
    serial.close();
  }, LOOK_MS);
  serial.once("close", () => clearInterval(timer));
}

interface Opened {
  serial: SerialPort;
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
}

function streamsOf(serial: SerialPort): Opened {
  let ended = false;
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (error?: Error | null) => {
        if (ended) return;
        ended = true;
        if (error) controller.error(error);
        else controller.close();
      };
      serial.on("data", (bytes: Uint8Array) => {
        if (!ended) controller.enqueue(new Uint8Array(bytes));
      });
      serial.on("error", end);
      serial.on("close", end);
    },
    // What still comes belongs to whoever opens the port next.
    cancel() {
      ended = true;
      serial.pause();
    },
  });
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) =>
      new Promise((resolve, reject) => {
        const gone = () => reject(new Error("port, expected to be written, got its end"));
        serial.once("close", gone);
        serial.write(Buffer.from(bytes), (error) => {
          serial.removeListener("close", gone);
          if (error) reject(error);
          else resolve();
        });
      }),
  });
  return { serial, readable, writable };
}

/** A port of this machine, by its path. Nothing is opened yet. */
export function createNodePort(path: string, info: ReturnType<Port["getInfo"]> = {}): Port {
  let opened: Opened | undefined;
  // As the system leaves them when it opens a port.
  let lines = { dtr: true, rts: true };

  function current(): SerialPort {
    if (opened === undefined) throw new Error(`${path}, expected open, got closed`);
    return opened.serial;
  }

  return {
    get readable() {
      return opened?.readable ?? null;
    },
    get writable() {
      return opened?.writable ?? null;
    },
    async open({ baudRate }) {
      // hupcl would drop the lines at the end, which resets many boards.
      const serial = new SerialPort({ path, baudRate, autoOpen: false, hupcl: false });
      // A port that is pulled out while it opens or closes.
      serial.on("error", () => {});
      await promised((done) => serial.open(done));
      watchDevice(serial, path);
      opened = streamsOf(serial);
      lines = { dtr: true, rts: true };
    },
    async close() {
      const serial = opened?.serial;
      opened = undefined;
      if (serial?.isOpen) await promised((done) => serial.close(done));
    },
    async setSignals({ dataTerminalReady, requestToSend }) {
      // serialport raises a line that it is not told of.
      lines = { dtr: dataTerminalReady ?? lines.dtr, rts: requestToSend ?? lines.rts };
      await promised((done) => current().set(lines, done));
    },
    getInfo: () => info,
    async setBaudRate(baudRate) {
      await promised((done) => current().update({ baudRate }, done));
    },
  };
}
