import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type LaunchedDevice, launchDevice } from "../../simulator/launch.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { makeTrust } from "../support/trust.ts";

const BOARD = { name: "launched", network: "host", sensors: [], queue: { readings: 8 } };
const FIRST_LINE = /^console open/;

let directory: string;
let remove: () => Promise<void>;
let device: LaunchedDevice;
let lines: string[];
let onLine: (line: string) => void;

beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("launch");
  lines = [];
  onLine = () => undefined;
  device = launchDevice({
    files: await bundleBoard(directory, BOARD),
    directory: join(directory, "device"),
    settings: {
      // Port 9 is nobody's.
      brokers: [{ host: "127.0.0.1", port: 9 }],
      ...(await makeTrust()),
    },
    console(line) {
      lines.push(line);
      onLine(line);
    },
  });
});
afterEach(async () => {
  device.powerOff();
  await remove();
});

const nextStart = () =>
  new Promise<void>((resolve) => {
    onLine = (line) => FIRST_LINE.test(line) && resolve();
  });

it("boots again after a restart of its own, with the same key", async () => {
  const started = nextStart();
  device.type("restart()");
  await started;
  device.type("status().reset");
  expect(lines.at(-1)).toBe("=2");
  const keys = lines.flatMap((line) => /--key ([0-9a-f]+)/.exec(line)?.[1] ?? []);
  expect(keys.length).toBe(2);
  expect(keys[0]).toBe(keys[1]);
});

it("stays off when its power goes during a restart", async () => {
  device.type("restart()");
  device.powerOff();
  const count = lines.length;
  // Longer than a restart takes.
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(lines.length).toBe(count);
});
