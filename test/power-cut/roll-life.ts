/**
 * The life of a device whose key is rolled: enrolled or registered, readings, the command, the new
 * key, readings. The provisioner repeats his bytes until there is a reply.
 */
import type { Board } from "../../firmware/config.ts";
import { type Bytes, bytes, toHex } from "../../protocol/bytes.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import type { OpenDeviceCrypto } from "../../simulator/devcrypto/stand-in.ts";
import { toBinary } from "../support/cbor-oracle.ts";
import type { HistoryEvent } from "../support/history.ts";
import { nodeCrypto } from "../support/parties.ts";
import type { WorldAuthority } from "../support/world/authority.ts";
import { FIRST_DAY } from "../support/world/memory-cloud.ts";
import { order } from "../support/world/order.ts";
import { createWorld, SURE, type World } from "../support/world/world.ts";

const DEVICE_ID = "boiler-1";
const USER_ID = "ann";
const COMMAND_AT_MS = 40_000;
const RESEND_MS = 20_000;
/** The last readings are taken in this time, after which all must arrive. */
const CALM_MS = 25_000;
const DAY_SECONDS = 86_400;
const TAIL_SECONDS = 30;
/** Each reading goes to flash as it is taken, so that a cut costs at most the one at hand. */
const QUEUE = { readings: 4, flash: 200, spillSeconds: 0 };

export interface RollOptions {
  authority: WorldAuthority;
  plan?: number[];
  /** Registered by hand, without names. */
  byHand?: boolean;
  /** What else happens in this world. */
  begin?: (world: World) => void;
  /** False: the roll is to come to nothing. */
  succeeds?: boolean;
  board?: Partial<Board>;
  /** For a board that measures seldom: it is given this time to take its last readings. */
  calmMs?: number;
  /** Reasons for which the cloud may refuse this device. */
  mayRefuse?: string[];
}

export interface RollOutcome {
  violations: string[];
  /** Points passed in each boot, and in the first when the command was issued. */
  points: number[];
  issuedAt: number;
  world: World;
}

function authorityOf({ authority, byHand }: RollOptions): WorldAuthority {
  if (byHand) return authority;
  const enrolment = { deviceId: bytes(DEVICE_ID), userId: bytes(USER_ID), claim: CLAIM };
  return { ...authority, trust: { ...authority.trust, enrolment } };
}
const CLAIM = bytes("0123456789abcdef");

/** Issues the command once, and sends it until it is answered. */
function command(world: World, authority: WorldAuthority, issued: () => void) {
  const { scheduler } = world;
  scheduler.at(COMMAND_AT_MS, async () => {
    issued();
    const { send, replied } = await order(world, authority, { roll: true }, DAY_SECONDS);
    async function sendAgain(): Promise<void> {
      if ((await replied()).every(Boolean)) return;
      send();
      scheduler.at(RESEND_MS, sendAgain);
    }
    scheduler.at(RESEND_MS, sendAgain);
  });
}

/** The key that the device has, and which there may be no other of. */
function keyOf(base: OpenDeviceCrypto, { memory }: World): Bytes | undefined {
  const [only, ...others] = [...memory.keys.values()];
  return only && others.length === 0 ? base.exportPublicKey(only.key) : undefined;
}

/** What the device did under each of its names; a boot has one. */
function split(events: HistoryEvent[]): Map<string, HistoryEvent[]> {
  const boots: HistoryEvent[][] = [];
  for (const event of events) {
    if (event.kind === "boot") boots.push([]);
    boots.at(-1)?.push(event);
  }
  const byName = new Map<string, HistoryEvent[]>();
  for (const boot of boots) {
    const names = boot.flatMap((event) =>
      event.kind === "sent" && event.packet.cmd === "connect" ? [event.packet.clientId] : [],
    );
    const name = names[0] ?? "none";
    byName.set(name, [...(byName.get(name) ?? []), ...boot]);
  }
  byName.delete("none");
  return byName;
}

async function judge(base: OpenDeviceCrypto, world: World, options: RollOptions, old: Bytes) {
  const { succeeds = true, mayRefuse = ["device-unknown"] } = options;
  const violations: string[] = [];
  const publicKey = keyOf(base, world);
  if (publicKey === undefined) return [`keys: ${world.memory.keys.size}, expected one`];
  const thumbprint = thumbprintOf(base, publicKey);
  const { store } = world.cloud;
  const devices = (await store.listDevices()).map(({ device }) => device);
  const open = devices.filter(({ state }) => state === "enrolled" || state === "registered");
  if (open.length !== 1 || open[0]?.kid !== kidOf(thumbprint))
    violations.push(`cloud: ${devices.map(({ kid, state }) => `${toHex(kid)} ${state}`)}`);
  if (!options.byHand && open[0]?.deviceId !== DEVICE_ID) violations.push("cloud: another name");
  if ((publicKey !== old) !== succeeds) violations.push(`key: new is ${publicKey !== old}`);
  if (world.memory.records.has("roll")) violations.push("device: the roll has no end");

  const names = [...split(world.events)];
  if (names.length !== (succeeds ? 2 : 1)) violations.push(`names: ${names.map(([name]) => name)}`);
  const prints = succeeds ? [thumbprintOf(base, old), thumbprint] : [thumbprint];
  for (const [index, print] of prints.entries()) {
    const [name, events] = names[index] ?? ["", []];
    if (name !== `cf-${toHex(kidOf(print))}`) violations.push(`order: ${name} as ${index}`);
    violations.push(...(await world.judge([], { thumbprint: toBinary(print), events }, mayRefuse)));
  }
  // In the order of the boots no name comes back.
  const order = world.events.flatMap((event) =>
    event.kind === "sent" && event.packet.cmd === "connect" ? [event.packet.clientId] : [],
  );
  if (new Set(order.filter((name, at) => name !== order[at - 1])).size !== names.length)
    violations.push("order: an older name came back");
  return violations;
}

/** Plays it, with the power cut as planned, until all is at rest, and judges. */
export async function rollLife(base: OpenDeviceCrypto, options: RollOptions): Promise<RollOutcome> {
  const { plan = [] } = options;
  const authority = authorityOf(options);
  const world = createWorld(base, { authority, plan, board: { queue: QUEUE, ...options.board } });
  const { scheduler, produced, stored, memory, cloud } = world;
  const old = base.exportPublicKey(base.openDeviceKey());
  const isSure = (index: number) => SURE in (produced[index] ?? {});
  let issuedAt = 0;
  let round = 0;
  let isCalm = false;

  function calm(): void {
    const mine = ++round;
    isCalm = false;
    world.setMeasuring("works");
    scheduler.at(options.calmMs ?? CALM_MS, () => {
      if (mine !== round) return;
      world.setMeasuring("fails");
      isCalm = true;
    });
  }
  const missing = () =>
    produced.map((_, index) => index).filter((i) => isSure(i) && !stored.has(i));
  let hasBegun = false;
  function isDone(): boolean {
    const isRolling = memory.records.has("roll");
    hasBegun ||= isRolling;
    return hasBegun && !isRolling && memory.keys.size === 1;
  }
  let from: number | undefined;

  try {
    if (!options.byHand)
      await cloud.store.makeClaim({
        ...{ hash: nodeCrypto.hashCompute(CLAIM), userId: USER_ID, deviceId: undefined },
        ...{ madeAt: FIRST_DAY, expiresAt: FIRST_DAY + DAY_SECONDS },
      });
    command(world, authority, () => {
      issuedAt = world.points().reduce((sum, count) => sum + count, 0);
    });
    options.begin?.(world);
    world.onCut = () => {
      if (from !== undefined) calm();
    };
    world.boot();
    // Nine days: a roll that gets no certificate is given up after seven.
    await scheduler.until(isDone, 9 * DAY_SECONDS);
    for (let cuts = -1; cuts !== world.cuts(); ) {
      cuts = world.cuts();
      from = produced.length;
      calm();
      await scheduler.until(() => isCalm && missing().every((i) => i < (from ?? 0)), DAY_SECONDS);
      await scheduler.until(() => false, TAIL_SECONDS);
    }
    const violations = await judge(base, world, options, old);
    if (!isDone()) violations.push("settle: the roll has no end");
    const lost = missing();
    if (lost.length > world.cuts()) violations.push(`lost: ${lost} in ${world.cuts()} cuts`);
    if (produced.length === from) violations.push("settle: the device measures no more");
    return { violations, points: world.points(), issuedAt, world };
  } finally {
    await world.close();
  }
}
