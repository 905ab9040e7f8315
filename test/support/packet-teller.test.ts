/** What the checker is told is what a strict client reads. */
import { describe, expect, it } from "vitest";
import { createTeller } from "./packet-teller.ts";

const CONNACK = "20020000";
const PUBCOMP = "70020002";

function told(...pieces: string[]): string[] {
  const names: string[] = [];
  const tell = createTeller(({ cmd }) => names.push(cmd));
  for (const piece of pieces) tell(Buffer.from(piece, "hex"));
  return names;
}

describe("a teller of packets", () => {
  it("tells them over any pieces", () => {
    expect(told(CONNACK + PUBCOMP)).toEqual(["connack", "pubcomp"]);
    expect(told("2002", "000070", "0200", "02")).toEqual(["connack", "pubcomp"]);
  });

  it.each([
    ["without its id", "70000002"],
    ["of three bytes", "7003000200"],
    ["with a wrong flag", "72020002"],
    ["of packet id 0", "70020000"],
  ])("tells nothing from an acknowledgement %s on", (_what, bytes) => {
    expect(told(CONNACK + bytes, PUBCOMP)).toEqual(["connack"]);
  });

  it("tells a message without an id at QoS 0 only", () => {
    expect(told("3003000174", PUBCOMP)).toEqual(["publish", "pubcomp"]);
    expect(told("32050001740000", PUBCOMP)).toEqual([]);
  });
});
