/** Readings without a time, and the boot report that dates them: from message to what is shown. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootReportOf } from "../../../cloud/receiver/boot-report.ts";
import { createReceiver } from "../../../cloud/receiver/receiver.ts";
import type { Measurement } from "../../../cloud/receiver/view.ts";
import type { Store, StoredRecord } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { createSenmlMaker } from "../../../protocol/senml.ts";
import type { DeviceSession } from "../../../protocol/session-message.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { openTestDevice, type TestDevice, wire } from "../support/test-device.ts";

const temporary = temporaryDirectories();
const makePack = createSenmlMaker([{ name: "level", unit: "m", exponent: 0 }]);
let cloud: TestCloud;
let device: TestDevice;
let fails: (keyof Store)[];

beforeEach(async () => {
  fails = [];
  cloud = openTestCloud(temporary(), (store) => {
    const whole = store as unknown as Record<string, (...args: unknown[]) => unknown>;
    const changed: typeof whole = { ...whole };
    for (const call of ["findDate", "listDated"] as const)
      changed[call] = (...args) =>
        fails.includes(call) ? Promise.reject(new Error("disk")) : whole[call]?.(...args);
    return changed as unknown as Store;
  });
  device = openTestDevice();
  await cloud.register(device, "shed");
});
afterEach(async () => {
  device.close();
  await cloud.close();
});

/** A receiver over the test's cloud, and what it hands on: new measurements, and dated ones. */
function listen() {
  const arrived: Measurement[] = [];
  const dated: Measurement[] = [];
  const { receive } = createReceiver({
    context: cloud.context,
    receipts: { message() {}, reading() {}, flush: async () => {}, sent: () => 0, close() {} },
    publish: () => true,
    log() {},
    onMeasurement: (measurement) => arrived.push(measurement),
    onDated: (measurement) => dated.push(measurement),
  });
  async function send(messageClass: "session" | "reading" | "event", message: Bytes) {
    const done = await receive({
      ...{ topic: device.topic(messageClass), payload: wire(message), qos: 1 },
    });
    done();
  }
  return { arrived, dated, send };
}

async function open(send: ReturnType<typeof listen>["send"]): Promise<DeviceSession> {
  const session = device.openSession(cloud.self.publicKey);
  await send("session", session.message);
  return session;
}

/** A reading of this uptime, sealed. */
const seal = (session: DeviceSession, uptime: number) =>
  device.seal(session, makePack([uptime], { time: undefined, uptime }, 0));

const REPORT_TIME = 1_800_000_100;
const REPORT_UPTIME = 100;
const makeReport = createSenmlMaker(
  ["uptime", "first", "session", "sequence"].map((name) => ({
    ...{ name: `boot-${name}`, unit: name === "uptime" ? "s" : "1", exponent: 0 },
  })),
);

function report(firstSession: number, session: number, sequence: number): Bytes {
  const at = { time: REPORT_TIME, uptime: REPORT_UPTIME };
  const pack = makeReport([REPORT_UPTIME, firstSession, session, sequence], at, 0);
  return device.makeEvent(cloud.self.publicKey, pack).message;
}

const place = ({ session, sequence, time, timeFrom }: Measurement) =>
  `${session}/${sequence} ${time - 1_800_000_000} ${timeFrom}`;

describe("a boot report", () => {
  it("dates what came before it, once more, and what comes after it, at once", async () => {
    const { arrived, dated, send } = listen();
    const [first, second] = [await open(send), await open(send)];
    const late = seal(first, 2);
    for (const reading of [seal(first, 3), seal(second, 60)]) await send("reading", reading);
    cloud.clock.now = 1_800_000_500;
    await send("event", report(1, 2, 1));
    await send("reading", late);
    expect(arrived.map(place)).toEqual(["1/2 0 arrival", "2/1 0 arrival", "1/1 2 boot-report"]);
    expect(dated.map(place)).toEqual(["1/2 3 boot-report", "2/1 60 boot-report"]);
    expect(dated[0]).toMatchObject({ device: "shed", name: "level", unit: "m", value: 3 });
  });

  it("that comes again hands nothing on again", async () => {
    const { dated, send } = listen();
    await send("reading", seal(await open(send), 3));
    const message = report(1, 1, 1);
    await send("event", message);
    await send("event", message);
    expect(dated).toHaveLength(1);
  });

  it("does not date the boot before it, whose first receipt never came", async () => {
    const { arrived, dated, send } = listen();
    const [before, after] = [await open(send), await open(send)];
    await send("reading", seal(before, 3));
    await send("event", report(2, 2, 1));
    await send("reading", seal(before, 4));
    await send("reading", seal(after, 5));
    expect(arrived.map(place)).toEqual(["1/1 0 arrival", "1/2 0 arrival", "2/1 5 boot-report"]);
    expect(dated).toEqual([]);
  });

  it("is not acknowledged when the store fails to list, and counts when it comes again", async () => {
    const { arrived, send } = listen();
    const session = await open(send);
    const message = report(1, 1, 2);
    fails = ["listDated", "findDate"];
    await expect(send("event", message)).rejects.toThrow("disk");
    const reading = seal(session, 9);
    await expect(send("reading", reading)).rejects.toThrow("disk");
    fails = [];
    await send("event", message);
    await send("reading", reading);
    await send("reading", seal(session, 10));
    expect(arrived.map(place)).toEqual(["1/2 10 boot-report"]);
    expect(await cloud.store.findDate(device.kid, 1, 1)).toBe(1_800_000_009);
  });
});

describe("an event", () => {
  const GOOD = { "boot-uptime": 5, "boot-first": 3, "boot-session": 4, "boot-sequence": 0 };
  const read = (values: Record<string, number | boolean>, time: number | undefined) => {
    const records = Object.entries(values).map(
      ([name, value]): StoredRecord => ({ name, unit: undefined, value, time }),
    );
    return bootReportOf(records);
  };

  it("with these four records and a time is a boot report", () => {
    expect(read({ ...GOOD, queued: 7 }, 9)).toEqual({
      ...{ firstSession: 3, lastSession: 4, lastSequence: 0, uptime: 5, time: 9 },
    });
  });

  it.each<[string, Record<string, number | boolean>]>([
    ["a fraction", { "boot-uptime": 5.5 }],
    ["a negative number", { "boot-sequence": -1 }],
    ["a number beyond exactness", { "boot-session": 2 ** 53 }],
    ["a boolean", { "boot-first": true }],
    ["sessions in the wrong order", { "boot-first": 5 }],
    ["a boot before 1970", { "boot-uptime": 10 }],
  ])("with %s among them is none", (_what, change) => {
    expect(read({ ...GOOD, ...change }, 9)).toBeUndefined();
  });

  it("without one of them, or without a time, is none", () => {
    expect(read(GOOD, undefined)).toBeUndefined();
    expect(bootReportOf([])).toBeUndefined();
    for (const name of Object.keys(GOOD)) {
      const { [name as keyof typeof GOOD]: _, ...rest } = GOOD;
      expect(read(rest, 9), name).toBeUndefined();
    }
  });
});
