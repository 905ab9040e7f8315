import { beforeEach, describe, expect, it } from "vitest";
import type { EventRecord } from "../../../cloud/receiver/view.ts";
import { TOPIC_PREFIX } from "../../../protocol/topics.ts";
import { createPairing, WIDTH } from "../../../scripts/cli/demo-view.ts";

const TOPIC = `${TOPIC_PREFIX}/00112233aabbccdd/event`;
const MESSAGE = Buffer.from("d2844da2", "hex");
const PLACE = { device: "shed", kid: "00112233aabbccdd", counter: 9 };
const WHEN = { time: 1_800_000_000, timeFrom: "device" } as const;
const RECORDS: EventRecord[] = [
  { ...PLACE, ...WHEN, name: "door", value: true },
  { ...PLACE, ...WHEN, name: "level", unit: "m", value: -3.14 },
];

let lines: string[];
let pairing: ReturnType<typeof createPairing>;

beforeEach(() => {
  lines = [];
  pairing = createPairing((line) => lines.push(line));
});

describe("an event in the demo", () => {
  const shown = [
    `event       4  ${"d2844da2".padEnd(32)}  door true  #9`,
    `${"".padEnd(49)}level -3.14 m  #9`,
  ];

  it("is shown once both halves are there, whichever comes first", () => {
    pairing.seen(TOPIC_PREFIX, TOPIC, MESSAGE);
    expect(lines).toEqual([]);
    pairing.openedEvent(RECORDS, Buffer.from(MESSAGE));
    expect(lines).toEqual(shown);
    const later = Buffer.concat([MESSAGE, MESSAGE]);
    pairing.openedEvent(RECORDS.slice(0, 1), later);
    pairing.seen(TOPIC_PREFIX, TOPIC, later);
    expect(lines[2]).toBe(`event       8  ${"d2844da2d2844da2".padEnd(32)}  door true  #9`);
    expect(lines.every((line) => line.length <= WIDTH)).toBe(true);
  });

  it("is not shown when the cloud opened other bytes", () => {
    pairing.seen(TOPIC_PREFIX, TOPIC, MESSAGE);
    pairing.openedEvent(RECORDS, Buffer.from("d2844da3", "hex"));
    expect(lines).toEqual([]);
  });
});
