import { generate, type Packet, parser } from "mqtt-packet";
import { expect } from "vitest";
import type { Bytes } from "../../protocol/bytes.ts";

/** What mqtt-packet reads of our bytes; exactly one packet, nothing left over. */
export function oracle(encoded: string): Packet & Record<string, unknown> {
  const packets: Packet[] = [];
  const reader = parser();
  reader.on("packet", (packet) => packets.push(packet));
  reader.on("error", (error) => {
    throw error;
  });
  expect(reader.parse(Buffer.from(encoded, "latin1"))).toBe(0);
  expect(packets).toHaveLength(1);
  return packets[0] as Packet & Record<string, unknown>;
}

/** A packet as mqtt-packet writes it. */
export function fromOracle(packet: object): Bytes {
  return generate(packet as Packet).toString("latin1") as Bytes;
}
