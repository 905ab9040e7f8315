import { describe, expect, it } from "vitest";
import { toDated, toEventRecords, toMeasurements } from "../../../cloud/receiver/view.ts";
import type { Device, Reading } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";

const NOW = 1_800_000_000;
const DEVICE: Device = {
  kid: "\x00\x11\x22\x33\xaa\xbb\xcc\xdd" as Bytes,
  publicKey: "" as Bytes,
  thumbprint: "" as Bytes,
  name: undefined,
};
const READING: Reading = {
  device: DEVICE.kid,
  session: 3,
  sequence: 8,
  receivedAt: NOW,
  uptime: 5,
  records: [
    { name: "temperature", unit: "Cel", value: 21.5, time: undefined },
    { name: "door", unit: undefined, value: true, time: NOW - 60 },
    { name: "uptime", unit: "s", value: 5, time: undefined },
    { name: "dropped", unit: "count", value: 2, time: undefined },
  ],
};

const PLACE = { device: "00112233aabbccdd", kid: "00112233aabbccdd", session: 3, sequence: 8 };

/** What is shown of the reading when its undated records get this time. */
const shown = (time: number, timeFrom: string) => [
  { ...PLACE, name: "temperature", unit: "Cel", value: 21.5, time, timeFrom },
  { ...PLACE, name: "door", value: true, time: NOW - 60, timeFrom: "device" },
  { ...PLACE, name: "dropped", unit: "count", value: 2, time, timeFrom },
];

describe("toMeasurements", () => {
  it("shows each record but the uptime, under the key id of a device without a name", () => {
    expect(toMeasurements(DEVICE, READING, undefined)).toEqual(shown(NOW, "arrival"));
    expect(toMeasurements({ ...DEVICE, name: "shed" }, READING, NOW)[0]?.device).toBe("shed");
  });

  it("gives records without a time the date of a boot report that came before", () => {
    expect(toMeasurements(DEVICE, READING, NOW - 900)).toEqual(shown(NOW - 900, "boot-report"));
  });
});

describe("toDated", () => {
  it("gives the date of a boot report that came after", () => {
    const { session, sequence, records } = READING;
    expect(toDated(DEVICE, { session, sequence, records, date: NOW - 900 })).toEqual(
      shown(NOW - 900, "boot-report"),
    );
  });
});

describe("toEventRecords", () => {
  it("shows each record but the uptime, under the event's counter", () => {
    const payload = "" as Bytes;
    const event = {
      device: DEVICE.kid,
      counter: 9,
      receivedAt: NOW,
      payload,
      bootReport: undefined,
    };
    const place = { device: "shed", kid: "00112233aabbccdd", counter: 9 };
    const records = READING.records.slice(1, 3);
    expect(toEventRecords({ ...DEVICE, name: "shed" }, { event, records, dated: [] })).toEqual([
      { ...place, name: "door", value: true, time: NOW - 60, timeFrom: "device" },
    ]);
    const undated = records.map((record) => ({ ...record, time: undefined }));
    expect(toEventRecords(DEVICE, { event, records: undated, dated: [] })).toMatchObject([
      { time: NOW, timeFrom: "arrival" },
    ]);
  });
});
