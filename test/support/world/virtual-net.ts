/** Espruino's `net` in virtual time, to whoever answers at the far end. */
import type { Packet } from "mqtt-packet";
import type { Net, Socket } from "../../../firmware/ports.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { createTeller } from "../packet-teller.ts";
import type { Power } from "./power.ts";
import type { Scheduler } from "./scheduler.ts";

/** Espruino reads at most this many bytes in one turn. */
const CHUNK = 536;
/** From one end to the other. */
const LATENCY_MS = 5;
/** Until what was written has gone to TCP. */
const DRAIN_MS = 1;

/** The far end's hold on a connection. */
export interface Link {
  /** To the device, in pieces as they are given. */
  send(data: Buffer): void;
  close(): void;
}

/** Who answers. */
export interface Peer {
  /** False: a connection is refused. */
  isUp(): boolean;
  open(link: Link): {
    data(data: Buffer): void | Promise<void>;
    closed(): void;
  };
}

export interface VirtualNetOptions {
  scheduler: Scheduler;
  power: Power;
  peer(): Peer;
  /** Called at each connect call: time may pass in it. */
  connecting(): void;
  /** Every packet, when it leaves the device and when it reaches it. */
  seen(kind: "sent" | "got", packet: Packet): void;
}

/** The whole packets that the device writes in one go. */
export function splitPackets(data: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let start = 0; start < data.length; ) {
    let at = start + 1;
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = data[at++] ?? 0;
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    packets.push(data.subarray(start, at + length));
    start = at + length;
  }
  return packets;
}

export function createVirtualNet(options: VirtualNetOptions): Net {
  const { scheduler, power, seen } = options;

  function open(connected: (socket: Socket) => void): Socket {
    const listeners: Record<string, (argument: unknown) => void> = {};
    const tellSent = createTeller((packet) => seen("sent", packet));
    const tellGot = createTeller((packet) => seen("got", packet));
    let isOpen = true;
    let queued = 0;

    const emit = (event: string, argument?: unknown) =>
      power.run(() => listeners[event]?.(argument));

    function drained(): void {
      queued--;
      if (isOpen && queued === 0) emit("drain");
    }
    function arrive(data: Buffer): void {
      if (!isOpen) return;
      power.run(() => {
        power.pass();
        tellGot(data);
        for (let from = 0; from < data.length; from += CHUNK)
          listeners.data?.(data.toString("latin1", from, from + CHUNK) as Bytes);
        power.pass();
      });
    }
    function close(): void {
      if (!isOpen) return;
      isOpen = false;
      far.closed();
      emit("close", false);
    }
    const far = options.peer().open({
      send: (data) => scheduler.at(LATENCY_MS, () => arrive(data)),
      close: () => scheduler.at(LATENCY_MS, close),
    });

    const socket: Socket = {
      write(data) {
        power.check();
        if (!isOpen) throw new Error("This socket is closed");
        queued++;
        scheduler.at(DRAIN_MS, drained);
        for (const packet of splitPackets(Buffer.from(data, "latin1"))) {
          power.pass();
          tellSent(packet);
          scheduler.at(LATENCY_MS, () => far.data(packet));
        }
        power.pass();
        return false;
      },
      end() {
        if (!power.isOn() || !isOpen) return;
        isOpen = false;
        scheduler.at(LATENCY_MS, far.closed);
      },
      on(event: string, listener: (argument: never) => void) {
        listeners[event] = listener as (argument: unknown) => void;
      },
    };
    scheduler.at(LATENCY_MS, () => {
      if (!isOpen) return;
      power.run(() => connected(socket));
      if (queued === 0) emit("drain");
    });
    return socket;
  }

  return {
    connect(_address, connected) {
      power.check();
      options.connecting();
      if (!options.peer().isUp()) throw new Error("Unable to create socket");
      return open(connected);
    },
  };
}
