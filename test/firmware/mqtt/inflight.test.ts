import { describe, expect, it } from "vitest";
import {
  ACT,
  AWAIT_PUBACK,
  AWAIT_PUBCOMP,
  AWAIT_PUBREC,
  AWAIT_PUBREL,
  COLUMNS,
  findMove,
  ILLEGAL,
  INBOUND,
  NEXT,
  NONE,
  OUTBOUND,
  REPLY,
} from "../../../firmware/mqtt/inflight.ts";
import { PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL } from "../../../firmware/mqtt/packet.ts";

type Expected = { next: number; reply: number; act: boolean } | "illegal";
const move = (next: number, reply = 0, act = false): Expected => ({ next, reply, act });

/** Written from MQTT 3.1.1 section 4.3, apart from the tables. */
const outbound: [state: number, type: number, Expected][] = [
  [NONE, PUBACK, move(NONE)],
  [NONE, PUBREC, move(NONE, PUBREL)],
  [NONE, PUBCOMP, move(NONE)],
  [AWAIT_PUBACK, PUBACK, move(NONE, 0, true)],
  [AWAIT_PUBACK, PUBREC, "illegal"],
  [AWAIT_PUBACK, PUBCOMP, "illegal"],
  [AWAIT_PUBREC, PUBACK, "illegal"],
  [AWAIT_PUBREC, PUBREC, move(AWAIT_PUBCOMP, PUBREL)],
  [AWAIT_PUBREC, PUBCOMP, "illegal"],
  [AWAIT_PUBCOMP, PUBACK, "illegal"],
  [AWAIT_PUBCOMP, PUBREC, move(AWAIT_PUBCOMP, PUBREL)],
  [AWAIT_PUBCOMP, PUBCOMP, move(NONE, 0, true)],
];
const inbound: [state: number, type: number, qos: number, Expected][] = [
  [NONE, PUBLISH, 1, move(NONE, PUBACK, true)],
  [NONE, PUBLISH, 2, move(AWAIT_PUBREL, PUBREC, true)],
  [NONE, PUBREL, 0, move(NONE, PUBCOMP)],
  [AWAIT_PUBREL, PUBLISH, 1, move(NONE, PUBACK, true)],
  [AWAIT_PUBREL, PUBLISH, 2, move(AWAIT_PUBREL, PUBREC)],
  [AWAIT_PUBREL, PUBREL, 0, move(NONE, PUBCOMP)],
];

function check(look: () => number, expected: Expected): void {
  if (expected === "illegal") {
    expect(look).toThrowError(expect.objectContaining({ code: "form" }));
    return;
  }
  const cell = look();
  expect({ next: cell & NEXT, reply: cell & REPLY, act: (cell & ACT) !== 0 }).toEqual(expected);
}

describe("in-flight tables", () => {
  it.each(outbound)("outbound: state %i, packet %i", (state, type, expected) => {
    check(() => findMove(OUTBOUND, state, type, 0), expected);
  });

  it.each(inbound)("inbound: state %i, packet %i of QoS %i", (state, type, qos, expected) => {
    check(() => findMove(INBOUND, state, type, qos), expected);
  });

  it("every cell of both tables is one of these pairs", () => {
    expect(OUTBOUND).toHaveLength(outbound.length);
    expect(INBOUND).toHaveLength(inbound.length);
    for (const table of [OUTBOUND, INBOUND]) expect(table.length % COLUMNS).toBe(0);
    expect(new Set(outbound.map(([state, type]) => `${state} ${type}`)).size).toBe(outbound.length);
  });

  it("no reply, state or telling outside the masks", () => {
    for (const cell of Buffer.from(OUTBOUND + INBOUND, "latin1"))
      if (cell !== ILLEGAL) expect(cell & ~(NEXT | REPLY | ACT)).toBe(0);
  });

  it("a packet that has no column, or a state that has no row, is illegal", () => {
    check(() => findMove(OUTBOUND, AWAIT_PUBREC, PUBREL + 8, 0), "illegal");
    check(() => findMove(OUTBOUND, 64, PUBACK, 0), "illegal");
    check(() => findMove(INBOUND, NONE, PUBLISH, 0), "illegal");
    check(() => findMove(INBOUND, AWAIT_PUBCOMP, PUBREL, 0), "illegal");
  });
});
