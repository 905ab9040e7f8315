import type { Net, Socket } from "../../firmware/ports.ts";

/** The far end of one connection, in a test's hand. */
export interface HandSocket {
  /** What the device wrote, one element for each call. */
  written: string[];
  /** The device closed it, or the test wants its writes to throw. */
  ended: boolean;
  connected(): void;
  emit(event: "data" | "drain" | "close", argument?: unknown): void;
}

export interface HandNet extends Net {
  /** Where each connect call led, throwing or not. */
  addresses: { host: string; port: number; tls: boolean }[];
  sockets: HandSocket[];
  latest(): HandSocket;
  /** Called at each connect call; may throw, as Espruino's does for a refused connection. */
  onConnect: () => void;
}

/**
 * A Net for what node:net cannot be made to do: throw from connect, block in it, never
 * drain, speak after its end.
 */
export function createHandNet(): HandNet {
  const sockets: HandSocket[] = [];
  const net: HandNet = {
    addresses: [],
    sockets,
    latest: () => sockets[sockets.length - 1] as HandSocket,
    onConnect: () => {},
    connect(options, connected) {
      net.addresses.push(options);
      net.onConnect();
      const listeners: Record<string, (argument: unknown) => void> = {};
      const hand: HandSocket = {
        written: [],
        ended: false,
        connected: () => connected(socket),
        emit: (event, argument) => listeners[event]?.(argument),
      };
      const socket: Socket = {
        write(data) {
          if (hand.ended) throw new Error("This socket is closed");
          hand.written.push(data);
          return false;
        },
        end() {
          hand.ended = true;
        },
        on(event: string, listener: (argument: never) => void) {
          listeners[event] = listener as (argument: unknown) => void;
        },
      };
      sockets.push(hand);
      return socket;
    },
  };
  return net;
}

/** What a server says to CONNECT, without and with a session of the client's, and to SUBSCRIBE. */
export const CONNACK = "\x20\x02\x00\x00";
export const CONNACK_PRESENT = "\x20\x02\x01\x00";
export const SUBACK = "\x90\x03\x00\x01\x01";

/** The latest connection stands, up to SUBACK: what it wrote is CONNECT and SUBSCRIBE. */
export function acceptLatest(net: HandNet, connack: string): HandSocket {
  const socket = net.latest();
  socket.connected();
  socket.emit("drain");
  socket.emit("data", connack);
  socket.emit("drain");
  socket.emit("data", SUBACK);
  return socket;
}
