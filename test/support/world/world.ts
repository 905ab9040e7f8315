/**
 * A device, a broker and the cloud in one process and in virtual time. The device is the
 * firmware's own from startDevice on; its power goes where a plan says, and comes back.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as cold from "../../../firmware/cold.ts";
import * as provision from "../../../firmware/cold-provision.ts";
import type { Board, Settings } from "../../../firmware/config.ts";
import { startDevice } from "../../../firmware/device.ts";
import type { RunningDevice } from "../../../firmware/device-ports.ts";
import { sendHealth } from "../../../firmware/health.ts";
import { createLife } from "../../../firmware/life.ts";
import type { Clock, ReportError, System } from "../../../firmware/ports.ts";
import type { Sensor } from "../../../firmware/sensors/sensor.ts";
import { toHex } from "../../../protocol/bytes.ts";
import { type OpenDeviceCrypto, openStandIn } from "../../../simulator/devcrypto/stand-in.ts";
import { thumbprintOracle } from "../cose-builder.ts";
import { measuredKey } from "../history/measured.ts";
import { checkHistory, type HistoryEvent, type Values } from "../history.ts";
import { NO_STORAGE } from "../no-storage.ts";
import type { WorldAuthority } from "./authority.ts";
import { createDeviceMemory, openMemoryCrypto, wipeMemory } from "./device-memory.ts";
import { createMemoryBroker } from "./memory-broker.ts";
import { createMemoryCloud, TRUST } from "./memory-cloud.ts";
import { createPower, type Power, someTears } from "./power.ts";
import { createScheduler } from "./scheduler.ts";
import { createVirtualNet, type Peer } from "./virtual-net.ts";

/** Without power for this long. */
const DARK_MS = 1000;
/** From the device's first words to its registration by a person. */
const REGISTER_MS = 5000;
/** Between two looks for the first receipt of a boot, which the health record follows. */
const REPORT_MS = 30_000;
/** All that the health record asks of Espruino. */
const NO_SYSTEM = { process: { memory: () => ({ free: 2100 }) } } as unknown as System;
/** The sensor of QoS 1, each reading of which counts; and one of QoS 0. */
export const SURE = "sure";
const SPARE = "spare";

const BOARD: Board = {
  name: "virtual",
  network: "host",
  sensors: [
    { driver: SURE, periodSeconds: 10, qos: 1 },
    { driver: SPARE, periodSeconds: 35, qos: 0 },
  ],
  queue: { readings: 4, flash: 200, spillSeconds: 20 },
};

export interface WorldOptions {
  /** Of each boot, the point at which the power goes; boots beyond the list keep it. */
  plan?: number[];
  tornAt?: (length: number) => number[];
  board?: Partial<Board>;
  settings?: Partial<Settings>;
  /** What the device's uptime starts from, seconds. */
  uptime?: number;
  /** With a registrar, and somebody who commands. */
  authority?: WorldAuthority;
  /** Takes part in the seed of the device's dice. */
  seed?: number;
}

/** The part of the module that holds no state of a device: one for all worlds of a process. */
export function openBase(): { crypto: OpenDeviceCrypto; close(): void } {
  const directory = mkdtempSync(join(tmpdir(), "coseflow-base-"));
  const crypto = openStandIn(directory);
  return {
    crypto,
    close() {
      crypto.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A small generator (xorshift): the same seed, the same run. */
function createDice(seed: number): () => number {
  let state = (seed + 1) * 2654435761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) & 0xff;
  };
}

export function createWorld(base: OpenDeviceCrypto, options: WorldOptions = {}) {
  const { plan = [], tornAt = someTears, uptime = 0, seed = 0 } = options;
  const scheduler = createScheduler();
  const memory = createDeviceMemory();
  const dice = createDice(seed);
  const events: HistoryEvent[] = [];
  const produced: Values[] = [];
  const indexes = new Map<string, number>();
  const stored = new Set<number>();
  const uncaught: unknown[] = [];
  /** Points of each boot that has ended, and of the one at hand. */
  const points: number[] = [];
  const log: string[] = [];
  let cuts = 0;
  let restarts = 0;
  let isRegistered = false;
  let isMeant = false;
  let bootedAt = 0;
  let isMeasuring = true;
  let power: Power | undefined;
  let wipe = () => {};

  const cloud = createMemoryCloud({
    scheduler,
    publish: (topic, payload) => broker.publish(topic, payload),
    authority: options.authority,
    onStored({ records }) {
      const values: Values = {};
      for (const { name, value } of records) values[name] = value;
      stored.add(indexes.get(measuredKey(values)) ?? -1);
    },
  });
  const broker = createMemoryBroker(cloud.take);
  const publicKey = base.exportPublicKey(base.openDeviceKey());
  const thumbprint = thumbprintOracle(publicKey);

  const world = {
    scheduler,
    broker,
    cloud,
    memory,
    produced,
    stored,
    events,
    log,
    uncaught,
    /** Who answers the device's calls. */
    peer: broker as Peer,
    /** Called when the device connects: time may pass. */
    connecting: () => {},
    /** Called after each cut. */
    onCut: () => {},
    cuts: () => cuts,
    /** How much had been measured when the device started last. */
    bootedAt: () => bootedAt,
    points: () =>
      points.map((count, boot) => (boot === points.length - 1 && power ? power.points() : count)),
    setMeasuring(value: boolean): void {
      isMeasuring = value;
    },
    /** Cuts the power now, between two calls of the device's. */
    cutNow(): void {
      power?.off();
    },
    boot,
    receiptTopic: `cf/1/${thumbprint.toString("hex", 0, 8)}/receipt`,
    /** Called at each line of the device's log, inside its call. */
    onLog: () => {},

    restarts: () => restarts,
    /** The checker's word, and what the device let escape. A key roll makes two devices of one. */
    async judge(
      arrived: number[],
      of: { thumbprint: Buffer; events: HistoryEvent[] } = { thumbprint, events },
      mayRefuse = ["device-unknown"],
    ): Promise<string[]> {
      const content = await cloud.content(of.thumbprint);
      const history = { ...of, produced, cloud: content, arrived };
      const violations = checkHistory({ ...history, mayRefuse });
      return [...violations, ...uncaught.map((error) => `uncaught: ${(error as Error).stack}`)];
    },
    async close(): Promise<void> {
      wipe();
      wipeMemory(base, memory);
      await cloud.close();
    },
  };

  function createSensor(name: string): Sensor {
    return {
      quantities: [{ name, unit: "1", exponent: -2 }],
      read(done) {
        if (!isMeasuring)
          return done(new Error("sensor, expected to measure, got told not to"), []);
        const count = produced.length + 1;
        const values = { [name]: count / 100 };
        indexes.set(measuredKey(values), produced.length);
        produced.push(values);
        done(undefined, [count]);
      },
    };
  }

  function createClock(power: Power): Clock {
    const bootedAt = scheduler.now();
    return {
      uptime() {
        power.check();
        return scheduler.now() - bootedAt + uptime;
      },
      setTimeout(callback, milliseconds) {
        power.check();
        return scheduler.at(milliseconds, () => power.run(callback));
      },
      clearTimeout(id) {
        power.check();
        scheduler.cancel(id);
      },
    };
  }

  function boot(): void {
    const bootPower = createPower({
      cutAt: plan[points.length],
      tornAt,
      cut() {
        wipe();
        scheduler.at(DARK_MS, boot);
        if (isMeant) restarts++;
        else cuts++;
        if (!isMeant) world.onCut();
        isMeant = false;
      },
      uncaught: (error) => uncaught.push(error),
    });
    power = bootPower;
    const boots = points.push(0);
    bootedAt = produced.length;
    events.push({ kind: "boot" });
    const crypto = openMemoryCrypto(base, memory, bootPower, dice);
    wipe = () => {
      points[boots - 1] = bootPower.points();
      crypto.wipe();
    };
    const net = createVirtualNet({
      scheduler,
      power: bootPower,
      peer: () => world.peer,
      connecting: () => world.connecting(),
      seen: (kind, packet) => events.push({ kind, packet }),
    });
    const clock = createClock(bootPower);
    const say = (line: string) => {
      if (!bootPower.isOn()) return;
      log.push(`${scheduler.now().toFixed(3)} ${line}`);
      world.onLog();
      const key = /--key ([0-9a-f]{130})/.exec(line)?.[1];
      const enrols = options.authority?.trust.enrolment !== undefined;
      if (key !== toHex(publicKey) || enrols || isRegistered) return;
      isRegistered = true;
      scheduler.at(REGISTER_MS, () => cloud.register(key));
    };
    const report: ReportError = (error, what) => say(`${what}: ${(error as Error).message}`);
    bootPower.run(() => {
      const device = startDevice(
        {
          crypto,
          net,
          clock,
          log: say,
          report,
          life: createLife(say),
          cold: () => cold,
          provision: () => provision,
          provisioning: () => options.authority?.trust ?? TRUST,
          joinNetwork: (joined) => joined(),
          system: NO_STORAGE,
          restart() {
            isMeant = true;
            bootPower.off();
          },
          createSensor: (config) => createSensor(config.driver),
        },
        // A board's own: commands change it until the next boot.
        structuredClone({ ...BOARD, ...options.board }),
        {
          brokers: [{ host: "broker", port: 1883 }],
          receiptSeconds: 10,
          wifi: [],
          ...options.settings,
        },
      );
      sendReport(device, clock, report);
    });
  }

  /** One health record a boot, soon after its first receipt, as firmware/service.ts sends it. */
  function sendReport(device: RunningDevice, clock: Clock, report: ReportError): void {
    clock.setTimeout(() => {
      if (device.delivery?.time() === undefined) sendReport(device, clock, report);
      else sendHealth({ clock, report, system: NO_SYSTEM, boots: 1, reason: 0, errors: 0 }, device);
    }, REPORT_MS);
  }

  return world;
}

export type World = ReturnType<typeof createWorld>;
