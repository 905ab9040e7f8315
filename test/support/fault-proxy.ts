import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { parser } from "mqtt-packet";
import { createSplitter } from "./packet-splitter.ts";

/** `up`: from the client to the broker. */
export type Direction = "up" | "down";

/** What becomes of a whole packet. */
export const PACKET_FAULTS = [
  /** The connection ends before the packet arrives, or as soon as it has. */
  "cut-before",
  "cut-after",
  /** It is swallowed. */
  "drop",
  "duplicate",
  /** It comes after the one behind it. */
  "swap",
  /** It, and all behind it, come late. */
  "hold",
] as const;

/** What becomes of a packet at one of its bytes. */
export const BYTE_FAULTS = [
  /** The connection ends before this byte. */
  "truncate",
  /** One bit of it is another. */
  "flip",
] as const;

/** One fault, to be named in advance: so all of them can be counted through. */
export interface Fault {
  kind: (typeof PACKET_FAULTS)[number] | (typeof BYTE_FAULTS)[number];
  direction: Direction;
  /** Which packet of this direction, from 0, over all connections; or the next that has this byte. */
  packet: number;
  /** Of a fault at a byte. */
  at?: number;
}

export interface SeenPacket {
  direction: Direction;
  cmd: string;
  length: number;
}

export interface FaultProxy {
  port: number;
  /** Every packet that arrived here, in order. */
  seen: SeenPacket[];
  /** True once the fault has come about. */
  isInjected(): boolean;
  /** Ends the connections that there are. */
  hangUp(): void;
  close(): Promise<void>;
}

/** How late a packet is that is held. */
const HOLD_MS = 120;
/** A swapped packet waits this long for one behind it. */
const SWAP_MS = 60;

function nameOf(packet: Buffer): string {
  const reader = parser({ protocolVersion: 4 });
  let name = "unreadable";
  reader.on("packet", ({ cmd }) => {
    name = cmd;
  });
  reader.on("error", () => {});
  reader.parse(packet);
  return name;
}

function flipped(packet: Buffer, at: number): Buffer {
  const changed = Buffer.from(packet);
  changed[at] = (changed[at] as number) ^ (1 << (at % 8));
  return changed;
}

/** Stands between a client and a broker (MQTT 3.1.1 over TCP) and makes one fault come about. */
export async function startFaultProxy(brokerPort: number, fault?: Fault): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const seen: SeenPacket[] = [];
  const counts = { up: 0, down: 0 };
  let isInjected = false;

  function later(milliseconds: number, task: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, milliseconds);
    timers.add(timer);
  }

  function relay(direction: Direction, from: Socket, to: Socket): void {
    const split = createSplitter();
    let isOver = false;
    /** What waits for the packet behind it, and what is held back. */
    let swapped: Buffer | undefined;
    let held: Buffer[] | undefined;

    function forward(packet: Buffer): void {
      if (held) held.push(packet);
      else if (!to.destroyed) to.write(packet);
      const before = swapped;
      swapped = undefined;
      if (before) forward(before);
    }
    /** What was written is delivered; nothing follows. */
    function end(last?: Buffer): void {
      isOver = true;
      if (last && last.length > 0) to.end(last);
      else to.destroy();
      from.destroy();
    }
    function inject({ kind, at = 0 }: Fault, packet: Buffer): void {
      isInjected = true;
      if (kind === "cut-before") end();
      else if (kind === "cut-after") end(packet);
      else if (kind === "truncate") end(packet.subarray(0, at));
      else if (kind === "flip") forward(flipped(packet, at));
      else if (kind === "duplicate") {
        forward(packet);
        forward(packet);
      } else if (kind === "swap") {
        swapped = packet;
        later(SWAP_MS, () => {
          if (swapped === packet) forward(Buffer.alloc(0));
        });
      } else if (kind === "hold") {
        held = [packet];
        later(HOLD_MS, () => {
          const late = held ?? [];
          held = undefined;
          late.forEach(forward);
        });
      }
    }
    function take(packet: Buffer): void {
      if (isOver) return;
      const packetNumber = counts[direction]++;
      seen.push({ direction, cmd: nameOf(packet), length: packet.length });
      const isHere =
        fault?.direction === direction &&
        !isInjected &&
        fault.packet <= packetNumber &&
        (fault.at ?? 0) < packet.length;
      if (fault && isHere) inject(fault, packet);
      else forward(packet);
    }

    sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (data) => {
      try {
        split(data).forEach(take);
      } catch {
        end();
      }
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      if (!isOver) to.destroy();
    });
  }

  const server = createServer((client) => {
    const broker = connect(brokerPort, "127.0.0.1");
    relay("up", client, broker);
    relay("down", broker, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  function hangUp(): void {
    for (const socket of sockets) socket.destroy();
  }
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    isInjected: () => isInjected,
    hangUp,
    close() {
      for (const timer of timers) clearTimeout(timer);
      hangUp();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
