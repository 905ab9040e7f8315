/** The first boots of a device: it enrols with a claim, opens a session and measures. */
import { type Bytes, bytes, toHex } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import type { OpenDeviceCrypto } from "../../simulator/devcrypto/stand-in.ts";
import { toBinary } from "../support/cbor-oracle.ts";
import { nodeCrypto } from "../support/parties.ts";
import type { WorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { createWorld, SURE, type World } from "../support/world/world.ts";

const NAMES = { deviceId: bytes("boiler-1"), userId: bytes("ann") };
export const CLAIM = bytes("0123456789abcdef");
const DAY_SECONDS = 86_400;
const TAIL_SECONDS = 30;
/** Readings in the cloud after which the beginning is over. */
const ENOUGH = 3;
/** Each reading goes to flash as it is taken, so that a cut costs at most the one at hand. */
const QUEUE = { readings: 4, flash: 200, spillSeconds: 0 };

export interface EnrolOptions {
  authority: WorldAuthority;
  plan?: number[];
  /** What else happens in this world. */
  begin?: (world: World) => void;
}

export interface EnrolOutcome {
  violations: string[];
  /** Points passed until the beginning was over. */
  points: number;
  world: World;
}

/** The one device that the cloud knows, by the one key that the device has, under its names. */
async function judgeNames(base: OpenDeviceCrypto, world: World): Promise<string[]> {
  const [only, ...others] = [...world.memory.keys.values()];
  if (!only || others.length > 0) return [`keys: ${world.memory.keys.size}, expected one`];
  const publicKey = base.exportPublicKey(only.key);
  const kid = kidOf(thumbprintOf(base, publicKey));
  const devices = (await world.cloud.store.listDevices()).map(({ device }) => device);
  const isRight = devices.every(
    (device) =>
      device.kid === kid && device.state === "enrolled" && device.deviceId === NAMES.deviceId,
  );
  if (devices.length === 1 && isRight) return [];
  return [`cloud: ${devices.map((device) => `${toHex(device.kid)} ${device.state}`)}`];
}

/** Plays it, with the power cut as planned, until all is at rest, and judges. */
export async function enrolLife(
  base: OpenDeviceCrypto,
  { authority, plan = [], begin }: EnrolOptions,
): Promise<EnrolOutcome> {
  const enrolment = { ...NAMES, claim: CLAIM };
  const world = createWorld(base, {
    authority: { ...authority, trust: { ...authority.trust, enrolment } },
    plan,
    board: { queue: QUEUE },
  });
  const { scheduler, produced, stored, cloud, memory } = world;
  const missing = () =>
    produced.map((_, index) => index).filter((i) => SURE in (produced[i] ?? {}) && !stored.has(i));
  try {
    await cloud.store.makeClaim({
      ...{ hash: nodeCrypto.hashCompute(CLAIM), userId: NAMES.userId, deviceId: undefined },
      ...{ madeAt: FIRST_DAY, expiresAt: FIRST_DAY + DAY_SECONDS },
    });
    begin?.(world);
    world.boot();
    const isOver = () => memory.records.has("cert") && stored.size >= ENOUGH;
    await scheduler.until(isOver, DAY_SECONDS);
    const points = world.points().reduce((sum, count) => sum + count, 0);
    world.setMeasuring("fails");
    await scheduler.until(() => missing().length === 0, DAY_SECONDS);
    await scheduler.until(() => false, TAIL_SECONDS);

    const [only] = [...memory.keys.values()];
    const thumbprint = thumbprintOf(base, base.exportPublicKey(only?.key as never) as Bytes);
    const own = { thumbprint: toBinary(thumbprint), events: world.events };
    const violations = [
      ...(await judgeNames(base, world)),
      ...(await world.judge([], own, ["device-unknown"])),
    ];
    if (!isOver()) violations.push("settle: it did not enrol, or measured nothing");
    if (memory.records.has("n0")) violations.push("device: the request is still kept");
    const lost = missing();
    if (lost.length > world.cuts()) violations.push(`lost: ${lost} in ${world.cuts()} cuts`);
    return { violations, points, world };
  } finally {
    await world.close();
  }
}
