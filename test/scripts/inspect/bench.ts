import { afterEach, beforeEach } from "vitest";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { DeviceSession } from "../../../protocol/session-message.ts";
import {
  type Evidence,
  type EvidenceOptions,
  openEvidence,
} from "../../../scripts/inspect/evidence.ts";
import {
  type InspectOptions,
  inspectMessage,
  type Report,
} from "../../../scripts/inspect/inspect.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";
import { openTestDevice, PREFIX, type TestDevice } from "../../cloud/support/test-device.ts";
import { type KeptCloud, openKeptCloud } from "./kept-cloud.ts";

/** A cloud, and a device registered there as "desk" whose session message was not sent yet. */
export interface Bench {
  cloud: KeptCloud;
  device: TestDevice;
  session: DeviceSession;
  /** Closed after the test. */
  evidence(options: EvidenceOptions): Evidence;
  /** The cloud's keys and database. */
  everything(): Evidence;
  /** Another cloud, closed after the test. */
  otherCloud(): Promise<KeptCloud>;
  /** A further device, closed after the test. */
  otherDevice(): TestDevice;
}

/** A bench of its own for each test. */
export function useBench(): Bench {
  const temporary = temporaryDirectories();
  const bench = {} as Bench;
  const undo: (() => void | Promise<void>)[] = [];

  async function openCloud(): Promise<KeptCloud> {
    const cloud = await openKeptCloud(temporary());
    undo.push(() => cloud.close());
    return cloud;
  }

  function openDevice(): TestDevice {
    const device = openTestDevice();
    undo.push(() => device.close());
    return device;
  }

  function evidence(options: EvidenceOptions): Evidence {
    const opened = openEvidence(options);
    undo.push(() => opened.close());
    return opened;
  }

  beforeEach(async () => {
    const cloud = await openCloud();
    const device = openDevice();
    await cloud.register(device, "desk");
    Object.assign(bench, {
      cloud,
      device,
      session: device.openSession(cloud.self.publicKey),
      evidence,
      everything: () => evidence({ keys: cloud.keys, db: cloud.db }),
      otherCloud: openCloud,
      otherDevice: openDevice,
    });
  });

  afterEach(async () => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  });
  return bench;
}

export const inspect = (
  message: Bytes,
  evidence: Evidence,
  options: Partial<InspectOptions> = {},
) => inspectMessage(message, { prefix: PREFIX, ...options }, evidence);

/** Layer by layer the verdict, and the code of what fails. */
export function verdicts({ layers }: Report): Record<string, string> {
  return Object.fromEntries(
    layers.map(({ layer, verdict, code }) => [layer, code ? `${verdict} ${code}` : verdict]),
  );
}

export const textOf = ({ layers }: Report, name: string) =>
  layers.find(({ layer }) => layer === name)?.text;
