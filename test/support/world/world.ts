/**
 * A device, a broker and the cloud in one process and in virtual time. The device is the
 * firmware's own from startDevice on; its power goes where a plan says, and comes back.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Board, Settings } from "../../../firmware/config.ts";
import { startDevice } from "../../../firmware/device.ts";
import { resumeKept } from "../../../firmware/kept-session.ts";
import { createLife } from "../../../firmware/life.ts";
import type { ReportError } from "../../../firmware/ports.ts";
import { startSleeper } from "../../../firmware/sleep.ts";
import { toHex } from "../../../protocol/bytes.ts";
import { RESET_DEEPSLEEP, RESET_POWERON } from "../../../simulator/devcrypto/sleep.ts";
import { type OpenDeviceCrypto, openStandIn } from "../../../simulator/devcrypto/stand-in.ts";
import { coldParts } from "../cold-parts.ts";
import { thumbprintOracle } from "../cose-builder.ts";
import { checkHistory, type HistoryEvent, type Values } from "../history.ts";
import { NO_STORAGE } from "../no-storage.ts";
import type { WorldAuthority } from "./authority.ts";
import { createDeviceMemory, openMemoryCrypto, wipeMemory } from "./device-memory.ts";
import { createDice } from "./dice.ts";
import { createMemoryBroker } from "./memory-broker.ts";
import { createMemoryCloud, TRUST } from "./memory-cloud.ts";
import { createPower, type Power, someTears } from "./power.ts";
import { NO_SYSTEM, sendReport } from "./report.ts";
import { createScheduler } from "./scheduler.ts";
import { createSensors } from "./sensors.ts";
import { createVirtualClock, type DeviceClock } from "./virtual-clock.ts";
import { createVirtualNet, type Peer } from "./virtual-net.ts";

/** Without power for this long; a restart takes as long. */
const DARK_MS = 1000;
/** From the device's first words to its registration by a person. */
const REGISTER_MS = 5000;
/** What the service around a device counts; nothing here. */
const COUNTS = { boots: 0, reason: 0, errors: 0, lastError: "" };
/** What of a chip nobody asks for here. */
const ESP32 = { getWakeupCause: () => 0, getState: () => ({ freeHeap: 0 }) };
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
  /** What the device's clock says, for tests to set. Without it time passes as the world's does. */
  deviceClock?: DeviceClock;
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

export function createWorld(base: OpenDeviceCrypto, options: WorldOptions = {}) {
  const { plan = [], tornAt = someTears, uptime = 0, seed = 0 } = options;
  const scheduler = createScheduler();
  const memory = createDeviceMemory();
  const dice = createDice(seed);
  const events: HistoryEvent[] = [];
  const sensors = createSensors(scheduler.now);
  const { produced } = sensors;
  const stored = new Set<number>();
  const uncaught: unknown[] = [];
  /** Points of each boot that has ended, and of the one at hand. */
  const points: number[] = [];
  const log: string[] = [];
  let cuts = 0;
  let restarts = 0;
  /** By a person, who does so once. */
  let isRegistered = false;
  let isMeant = false;
  let bootedAt = 0;
  let power: Power | undefined;
  let wipe = () => {};
  /** The timer that wakes it; 0 while it does not sleep. */
  let wake = 0;

  const cloud = createMemoryCloud({
    scheduler,
    publish: (topic, payload) => broker.publish(topic, payload),
    authority: options.authority,
    onStored({ records }) {
      const values: Values = {};
      for (const { name, value } of records) values[name] = value;
      stored.add(sensors.indexOf(values));
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
    producedAt: sensors.producedAt,
    stored,
    events,
    log,
    uncaught,
    /** Who answers the device's calls. */
    peer: broker as Peer,
    /** Called when the device connects: time may pass. */
    connecting: () => {},
    /** Called after each cut, and when it has fallen asleep. */
    onCut: () => {},
    onSleep: () => {},
    cuts: () => cuts,
    /** How much had been measured when the device started last. */
    bootedAt: () => bootedAt,
    points: () =>
      points.map((count, boot) => (boot === points.length - 1 && power ? power.points() : count)),
    setMeasuring: sensors.setMeasuring,
    /** Cuts the power now, between two calls of the device's. */
    cutNow(): void {
      if (wake === 0) power?.off();
      else {
        scheduler.cancel(wake);
        wake = 0;
        cut();
      }
    },
    boot,
    thumbprint,
    receiptTopic: `cf/1/${thumbprint.toString("hex", 0, 8)}/receipt`,
    /** Called at each line of the device's log, inside its call. */
    onLog: () => {},

    /** Restarts that the device asked for. */
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
      forgetKept();
      wipeMemory(base, memory);
      await cloud.close();
    },
  };

  function forgetKept(): void {
    if (memory.kept !== undefined) base.destroyKey(memory.kept);
    memory.kept = undefined;
    memory.resetReason = RESET_POWERON;
  }

  function cut(): void {
    wipe();
    forgetKept();
    scheduler.at(DARK_MS, boot);
    if (isMeant) restarts++;
    else {
      cuts++;
      world.onCut();
    }
    isMeant = false;
  }

  /** The board is off from here on, but for what it keeps over deep sleep. */
  function sleep(bootPower: Power, microseconds: number): void {
    bootPower.pass();
    bootPower.halt();
    wipe();
    memory.resetReason = RESET_DEEPSLEEP;
    wake = scheduler.at(microseconds / 1000, boot);
    world.onSleep();
  }

  function boot(): void {
    wake = 0;
    const bootPower = createPower({
      cutAt: plan[points.length],
      tornAt,
      cut,
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
    const clock = createVirtualClock(scheduler, bootPower, uptime, options.deviceClock);
    const say = (line: string) => {
      if (!bootPower.isOn()) return;
      log.push(`${scheduler.now().toFixed(3)} ${line}`);
      world.onLog();
      const key = /--key ([0-9a-f]{130})/.exec(line)?.[1];
      if (key !== toHex(publicKey) || options.authority?.trust.enrolment || isRegistered) return;
      isRegistered = true;
      scheduler.at(REGISTER_MS, () => cloud.register(key));
    };
    const report: ReportError = (error, what) => say(`${what}: ${(error as Error).message}`);
    bootPower.run(() => {
      // A copy: a command may change it.
      const board: Board = structuredClone({ ...BOARD, ...options.board });
      const life = createLife(say);
      const device = startDevice(
        {
          crypto,
          net,
          clock,
          log: say,
          report,
          life,
          ...coldParts,
          provisioning: () => options.authority?.trust ?? TRUST,
          joinNetwork: (joined) => joined(),
          system: NO_STORAGE,
          restart() {
            isMeant = true;
            bootPower.off();
          },
          createSensor: (config) => sensors.create(config.driver),
          resume: board.sleep && resumeKept,
        },
        board,
        {
          brokers: [{ host: "broker", port: 1883 }],
          receiptSeconds: 10,
          wifi: [],
          ...options.settings,
        },
      );
      if (board.sleep === undefined) sendReport(device, clock, report);
      else {
        const deepSleep = (microseconds: number) => sleep(bootPower, microseconds);
        const system = { ...NO_SYSTEM, esp32: { ...ESP32, deepSleep } };
        startSleeper(
          { ...COUNTS, ...coldParts, crypto, clock, log: say, life, report, system },
          device,
          board,
        );
      }
    });
  }

  return world;
}

export type World = ReturnType<typeof createWorld>;
