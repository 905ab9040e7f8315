import { describe, expect, it } from "vitest";
import { toEventRecords, toMeasurements } from "../../../cloud/receiver/view.ts";
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
  records: [
    { name: "temperature", unit: "Cel", value: 21.5, time: undefined },
    { name: "door", unit: undefined, value: true, time: NOW - 60 },
    { name: "uptime", unit: "s", value: 5, time: undefined },
    { name: "dropped", unit: "count", value: 2, time: undefined },
  ],
};

describe("toMeasurements", () => {
  it("shows each record but the uptime, under the key id of a device without a name", () => {
    const place = { device: "00112233aabbccdd", kid: "00112233aabbccdd", session: 3, sequence: 8 };
    expect(toMeasurements(DEVICE, READING)).toEqual([
      { ...place, name: "temperature", unit: "Cel", value: 21.5, time: NOW },
      { ...place, name: "door", value: true, time: NOW - 60 },
      { ...place, name: "dropped", unit: "count", value: 2, time: NOW },
    ]);
    expect(toMeasurements({ ...DEVICE, name: "shed" }, READING)[0]?.device).toBe("shed");
  });
});

describe("toEventRecords", () => {
  it("shows each record but the uptime, under the event's counter", () => {
    const event = { device: DEVICE.kid, counter: 9, receivedAt: NOW, payload: "" as Bytes };
    const place = { device: "shed", kid: "00112233aabbccdd", counter: 9 };
    expect(
      toEventRecords({ ...DEVICE, name: "shed" }, { event, records: READING.records.slice(1, 3) }),
    ).toEqual([{ ...place, name: "door", value: true, time: NOW - 60 }]);
  });
});
