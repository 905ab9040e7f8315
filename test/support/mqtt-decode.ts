import { decodePacket, type ServerPacket } from "../../firmware/mqtt/packet.ts";

/** Collects the packets of TCP's pieces as the client does. */
export function createCollector() {
  const packets: ServerPacket[] = [];
  let arrived = "";
  return {
    packets,
    take(data: string): void {
      arrived += data;
      for (let packet = decodePacket(arrived); packet; packet = decodePacket(arrived)) {
        arrived = arrived.slice(packet.size);
        packets.push(packet);
      }
    },
    /** Bytes that are no whole packet yet. */
    waiting: () => arrived.length,
  };
}

/** All packets of these pieces. */
export function decodeAll(pieces: string[]): ServerPacket[] {
  const collector = createCollector();
  for (const piece of pieces) collector.take(piece);
  return collector.packets;
}
