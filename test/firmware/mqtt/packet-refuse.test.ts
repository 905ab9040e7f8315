import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_PACKET } from "../../../firmware/mqtt/packet.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { createCollector, decodeAll } from "../../support/mqtt-decode.ts";

describe("refuse", () => {
  const refused: [string, string, string][] = [
    ["one byte above MAX_PACKET", "size", "\x90\xf6\x0a"],
    ["256 MiB, from its header", "size", "\x90\xff\xff\xff\x7f"],
    ["a remaining length of five bytes", "form", "\x40\x80\x80\x80\x80"],
    ["type 0", "form", "\x00"],
    ["type 15", "form", "\xf0"],
    ["connect", "form", "\x10"],
    ["subscribe", "form", "\x82"],
    ["unsubscribe", "form", "\xa2"],
    ["unsuback, for nothing is unsubscribed", "form", "\xb0"],
    ["pingreq", "form", "\xc0"],
    ["disconnect", "form", "\xe0"],
    ["connack with flags", "form", "\x21"],
    ["puback with flags", "form", "\x42"],
    ["pubrel without flags", "form", "\x60"],
    ["pubcomp with flags", "form", "\x72"],
    ["suback with flags", "form", "\x92"],
    ["pingresp with flags", "form", "\xd1"],
    ["a short connack", "form", "\x20\x01\x00"],
    ["a long connack", "form", "\x20\x03\x00\x00\x00"],
    ["connack with reserved flags", "form", "\x20\x02\x02\x00"],
    ["connack with a reserved code", "form", "\x20\x02\x00\x06"],
    ["a refusal with a session", "form", "\x20\x02\x01\x05"],
    ["puback of packet id 0", "form", "\x40\x02\x00\x00"],
    ["a short puback", "form", "\x40\x01\x01"],
    ["a long pubrec", "form", "\x50\x03\x00\x01\x00"],
    ["pingresp with a body", "form", "\xd0\x01\x00"],
    ["suback without codes", "form", "\x90\x02\x00\x01"],
    ["suback with an unknown code", "form", "\x90\x03\x00\x01\x03"],
    ["suback of packet id 0", "form", "\x90\x03\x00\x00\x00"],
    ["a topic alone above MAX_PACKET", "size", "\x32\xf6\x0a\x05\x74"],
    ["publish above MAX_PACKET of packet id 0", "form", "\x32\xf6\x0a\x00\x01t\x00\x00"],
    ["publish of QoS 3", "form", "\x36\x06\x00\x01t\x00\x01x"],
    ["publish of QoS 0 with dup", "form", "\x38\x03\x00\x01t"],
    ["publish of packet id 0", "form", "\x32\x05\x00\x01t\x00\x00"],
    ["publish without a packet id", "form", "\x32\x04\x00\x01t\x00"],
    ["publish without a body", "form", "\x30\x00"],
    ["publish with half a topic length", "form", "\x30\x01\x00"],
    ["publish with an empty topic", "form", "\x30\x03\x00\x00x"],
    ["publish with a topic beyond its end", "form", "\x30\x03\x00\x02t"],
    ["publish to a wildcard", "form", "\x30\x03\x00\x01#"],
    ["publish to a one-level wildcard", "form", "\x30\x05\x00\x03a/+"],
    ["publish to a topic with NUL", "form", "\x30\x03\x00\x01\x00"],
  ];
  it.each(refused)("%s", (_name, code, data) => {
    expect(() => decodeAll([data])).toThrowError(expect.objectContaining({ code }));
    // Byte by byte too, and no later.
    expect(() => decodeAll(data.split(""))).toThrowError(expect.objectContaining({ code }));
  });

  it("nothing but a coded error from random bytes, and never more left than the bound", () => {
    const chunk = fc
      .array(fc.oneof(fc.constantFrom(0x20, 0x30, 0x32, 0x40, 0x90, 0xd0, 0), fc.nat(255)), {
        maxLength: 600,
      })
      .map((values) => String.fromCharCode(...values) as Bytes);
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
        const collector = createCollector();
        try {
          for (const data of chunks) {
            collector.take(data);
            expect(collector.waiting()).toBeLessThan(MAX_PACKET);
          }
        } catch (error) {
          expect(["form", "size"]).toContain((error as { code?: string }).code);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
