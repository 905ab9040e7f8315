import type { Bytes } from "../../protocol/bytes.ts";
import type { Net, Socket } from "../ports.ts";
import type { DisconnectReason } from "./options.ts";
import type { ServerPacket } from "./packet.ts";
import { createDecoder, feedDecoder, nextPacket } from "./packet.ts";
import { MAX_INBOUND } from "./session-state.ts";

/** Bytes of replies that wait for the socket: two packets of 4 for each inbound message. */
export const MAX_REPLIES = 2 * 4 * MAX_INBOUND;

/** One TCP connection that carries MQTT packets. After its end every call does nothing. */
export interface Connection {
  /** Nothing waits: the socket has drained and has been given all replies. */
  isFree(): boolean;
  /** Hands one packet to the socket; for callers that found it free. */
  write(packet: Bytes): void;
  /** Keeps a small packet for the next flush. Too many end the connection: "overflow". */
  reply(packet: Bytes): void;
  /** Writes the kept replies together, if the socket has drained. */
  flush(): void;
  /** Ends it without an event. */
  close(): void;
}

export interface ConnectionEvents {
  /** An error thrown here ends the connection: "protocol". */
  onPacket(packet: ServerPacket): void;
  /** After each delivery of TCP, and when the socket has drained: time to write. */
  onTurn(): void;
  /** Once, unless close() came first. */
  onEnd(reason: DisconnectReason, detail: string): void;
}

/**
 * Opens a connection and writes `greeting` once it stands. Throws what the board's
 * connect throws. Events of an ended connection, however late, are ignored.
 */
export function openConnection(
  net: Net,
  address: { host: string; port: number },
  greeting: Bytes,
  events: ConnectionEvents,
): Connection {
  const decoder = createDecoder();
  let socket: Socket | undefined;
  let standing = false;
  let ended = false;
  let drained = false;
  let replies = "";

  function close(): void {
    const old = socket;
    ended = true;
    standing = false;
    socket = undefined;
    replies = "";
    try {
      if (old !== undefined) old.end();
    } catch {
      // It is closed already.
    }
  }

  function end(reason: DisconnectReason, detail: string): void {
    if (ended) return;
    close();
    events.onEnd(reason, detail);
  }

  function write(packet: Bytes): void {
    if (!standing) return;
    drained = false;
    try {
      (socket as Socket).write(packet);
    } catch (error) {
      end("closed", `: ${error}`);
    }
  }

  function flush(): void {
    if (!drained || replies.length === 0) return;
    const together = replies as Bytes;
    replies = "";
    write(together);
  }

  function receive(data: Bytes): void {
    try {
      feedDecoder(decoder, data);
      while (!ended) {
        const packet = nextPacket(decoder);
        if (packet === undefined) break;
        events.onPacket(packet);
      }
    } catch (error) {
      end("protocol", `: ${error}`);
    }
    if (!ended) events.onTurn();
  }

  const opened = net.connect(address, (connected) => {
    if (ended) return;
    socket = connected;
    standing = true;
    write(greeting);
  });
  socket = opened;
  opened.on("data", (data) => {
    if (!ended) receive(data);
  });
  // Espruino repeats "drain" while nothing waits: only the first is news.
  opened.on("drain", () => {
    if (!standing || drained) return;
    drained = true;
    events.onTurn();
  });
  opened.on("close", () => end("closed", ""));

  return {
    isFree(): boolean {
      return drained && !ended && replies.length === 0;
    },
    write: write,
    reply(packet: Bytes): void {
      if (ended) return;
      if (replies.length + packet.length > MAX_REPLIES) end("overflow", ": replies unread");
      else replies += packet;
    },
    flush: flush,
    close: close,
  };
}
