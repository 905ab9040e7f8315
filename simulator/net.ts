import { connect, type Socket } from "node:net";
import { connect as startTls } from "node:tls";
import { lowBytes } from "./byte-string.ts";
import type { Events } from "./events.ts";
import type { Loop } from "./loop.ts";
import { internalError, type Realm, type RealmFunction } from "./realm.ts";

/** Espruino reads its sockets in pieces of this many bytes, on Linux and the ESP32 alike. */
const chunkBytes = 536;

/** Espruino's error events: numbers and words of its socket layer. */
const socketErrors = {
  timeout: { code: -3, message: "timeout" },
  noRoute: { code: -4, message: "no route" },
  notFound: { code: -6, message: "not found" },
  unsentData: { code: -8, message: "unsent data" },
  reset: { code: -9, message: "connection reset" },
};

/** Espruino's TLS names this host in every handshake, and asks for nothing newer than 1.2. */
const tlsOptions = {
  servername: "mbed TLS Server 1",
  maxVersion: "TLSv1.2",
  rejectUnauthorized: false,
} as const;

type SocketError = { code: number; message: string };

function connectError(failure: NodeJS.ErrnoException | undefined): SocketError {
  const code = failure?.code ?? "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return socketErrors.notFound;
  if (code === "ETIMEDOUT") return socketErrors.timeout;
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return socketErrors.noRoute;
  return socketErrors.reset;
}

interface NetPorts {
  realm: Realm;
  loop: Loop;
  events: Events;
  /** False while the board has no network: connecting fails at once. */
  online(): boolean;
}

/** Ends in the console: nobody can catch what goes wrong in a handshake. */
function reportHandshake({ realm, loop }: NetPorts, failure: Error | undefined): void {
  const InternalError = realm.global("InternalError") as new (message: string) => Error;
  loop.run(() => {
    throw new InternalError(`mbedtls_ssl_handshake returned ${failure?.message ?? "an end"}`);
  });
}

/**
 * One connection: its state, its host sockets, and the object the bundle holds. `tcp` is
 * below `wire` when that is TLS, or else the same.
 */
function openSocket(ports: NetPorts, tcp: Socket, wire: Socket, connected?: RealmFunction): object {
  const { realm, loop, events } = ports;
  let isSecure = wire === tcp;
  const received: string[] = [];
  let failure: NodeJS.ErrnoException | undefined;
  let isConnected = false;
  let isClosing = false;
  let unsent = 0;

  function flushed(error?: Error | null): void {
    // A destroyed socket reports no error for what it never sent.
    if (error || wire.destroyed) return;
    unsent--;
    if (unsent > 0) return;
    if (isClosing) wire.destroy();
    else events.emit(socket, "drain", [socket]);
  }

  function write(data: unknown): boolean {
    if (isClosing) throw new Error("This socket is closed");
    // Whatever is no string is sent as text, a Uint8Array as "1,2,3": so does Espruino.
    const text = data === undefined ? "" : lowBytes(String(data));
    if (text === "") return false;
    unsent++;
    wire.write(text, "latin1", flushed);
    return false;
  }

  function end(data?: unknown): void {
    if (isClosing) return;
    if (data !== undefined) write(data);
    isClosing = true;
    if (!isConnected) {
      tcp.destroy();
      wire.destroy();
    } else if (unsent === 0) wire.end(() => wire.destroy());
  }

  const socket = realm.object({ write, end });

  function deliver(): void {
    // Without a listener the bytes wait, as they do in the interpreter.
    while (received.length > 0 && events.has(socket, "data"))
      events.emit(socket, "data", [received.shift()]);
  }

  function closed(): void {
    const lost = unsent > 0 ? socketErrors.unsentData : undefined;
    // Ended before it was connected, it has not failed.
    const notConnected = isClosing ? undefined : connectError(failure);
    const error = isConnected ? lost : notConnected;
    const isEnded = isClosing;
    isClosing = true;
    if (error !== undefined) events.emit(socket, "error", [realm.object(error)]);
    events.emit(socket, "end", []);
    events.emit(socket, "close", [error !== undefined]);
    if (isConnected && !isSecure && !isEnded) reportHandshake(ports, failure);
  }

  events.watch(socket, deliver);
  tcp.setNoDelay(true);
  // TCP's, not the handshake's: so does Espruino.
  tcp.on("connect", () => {
    isConnected = true;
    const isIdle = unsent === 0;
    loop.run(() => {
      if (connected !== undefined) Reflect.apply(connected, socket, [socket]);
    });
    if (isIdle) events.emit(socket, "drain", [socket]);
  });
  wire.on("data", (data: Buffer) => {
    for (let from = 0; from < data.length; from += chunkBytes)
      received.push(data.toString("latin1", from, Math.min(from + chunkBytes, data.length)));
    deliver();
  });
  wire.once("secureConnect", () => {
    isSecure = true;
  });
  wire.on("error", (error) => {
    failure = error;
  });
  wire.on("close", closed);
  return socket;
}

export interface Net {
  /** What require("net") returns. */
  module: object;
  /** What require("tls") returns. */
  tlsModule: object;
  /** Cuts every connection at once. */
  destroy(): void;
}

/**
 * connect of require("net") and require("tls"). The interpreter throws at once when a connection is refused;
 * Node only learns of it later, so here it arrives as "error", "end" and "close"(true).
 */
export function createNet(ports: NetPorts): Net {
  const wires = new Set<Socket>();

  function open(isTls: boolean, options: unknown, connected?: RealmFunction): object {
    if (typeof options !== "object" || options === null)
      throw new Error(`Expecting Options to be an Object but it was ${typeof options}`);
    if (connected !== undefined && typeof connected !== "function")
      throw new Error(`Expecting Callback Function but got ${typeof connected}`);
    if (!ports.online()) throw internalError("Unable to create socket");
    const { host = "127.0.0.1", port } = options as { host?: string; port?: number };
    const tcp = connect({ host: String(host), port: Number(port) & 0xffff });
    wires.add(tcp);
    tcp.on("close", () => wires.delete(tcp));
    if (!isTls) return openSocket(ports, tcp, tcp, connected);
    return openSocket(ports, tcp, startTls({ socket: tcp, ...tlsOptions }), connected);
  }

  const module = (isTls: boolean) =>
    ports.realm.object({
      connect: (options: unknown, connected?: RealmFunction) => open(isTls, options, connected),
    });
  return {
    module: module(false),
    tlsModule: module(true),
    destroy() {
      for (const wire of wires) wire.destroy();
    },
  };
}
