import { connect } from "node:net";
import type { Clock, Net, Socket } from "../../firmware/ports.ts";
import type { Bytes } from "../../protocol/bytes.ts";

/** Espruino reads and sends at most this many bytes in one turn of its loop. */
const CHUNK = 536;

/**
 * Espruino's `net` over node:net: byte strings, write always false, "drain" when the
 * queue is empty (once after connecting too), data in small pieces, end() without
 * waiting for the other side. What differs: a refused connection cannot throw from
 * connect() here and comes as "close".
 */
export const netPort: Net = {
  connect(options, connected) {
    const tcp = connect(options.port, options.host);
    const listeners: Record<string, ((argument: never) => void)[]> = {};
    let hadError = false;
    let closing = false;
    let queued = 0;

    function emit(event: string, argument: unknown): void {
      for (const listener of listeners[event] ?? []) listener(argument as never);
    }
    function read(): void {
      const piece = tcp.read(Math.min(CHUNK, tcp.readableLength)) as Buffer | null;
      if (piece === null || tcp.destroyed) return;
      emit("data", piece.toString("latin1") as Bytes);
      if (tcp.readableLength > 0) setImmediate(read);
    }

    const socket: Socket = {
      write(data) {
        if (closing || tcp.destroyed) throw new Error("This socket is closed");
        queued += 1;
        tcp.write(data, "latin1", () => {
          queued -= 1;
          if (queued === 0 && !closing) emit("drain", undefined);
        });
        return false;
      },
      end() {
        closing = true;
        if (tcp.connecting) tcp.destroy();
        else tcp.destroySoon();
      },
      on(event: string, listener: (argument: never) => void) {
        listeners[event] = (listeners[event] ?? []).concat(listener);
      },
    };

    tcp.setNoDelay(true);
    tcp.on("readable", read);
    tcp.once("connect", () => {
      connected(socket);
      if (queued === 0) emit("drain", undefined);
    });
    tcp.on("error", (error) => {
      hadError = true;
      emit("error", error);
    });
    tcp.once("end", () => {
      closing = true;
      tcp.destroySoon();
    });
    tcp.once("close", () => {
      closing = true;
      emit("close", hadError);
    });
    return socket;
  },
};

export interface RealClock extends Clock {
  /** No timer runs any more: the power is off. */
  stop(): void;
}

/** The board's clock over Node's monotonic time and timers. */
export function realClock(): RealClock {
  const timers = new Map<number, NodeJS.Timeout>();
  let lastId = 0;
  let stopped = false;
  return {
    uptime: () => performance.now() / 1000,
    setTimeout(callback, milliseconds) {
      lastId += 1;
      const id = lastId;
      if (stopped) return id;
      const run = () => {
        timers.delete(id);
        callback();
      };
      timers.set(id, setTimeout(run, milliseconds));
      return id;
    },
    clearTimeout(id) {
      clearTimeout(timers.get(id));
      timers.delete(id);
    },
    stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
