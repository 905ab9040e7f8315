/** The firmware in this process over real TCP, on a clock that runs fast, with its history kept. */

import type { Packet } from "mqtt-packet";
import type { DeviceTrust } from "../../cloud/keys/device-trust.ts";
import { startDevice } from "../../firmware/device.ts";
import type { RunningDevice } from "../../firmware/device-ports.ts";
import { sendHealth } from "../../firmware/health.ts";
import { createLife } from "../../firmware/life.ts";
import type { Net, Socket } from "../../firmware/ports.ts";
import type { Sensor } from "../../firmware/sensors/sensor.ts";
import { toHex } from "../../protocol/bytes.ts";
import { coldParts } from "./cold-parts.ts";
import { thumbprintOracle } from "./cose-builder.ts";
import type { HistoryEvent, Values } from "./history.ts";
import { netPort } from "./net-port.ts";
import { NO_STORAGE } from "./no-storage.ts";
import { createTeller } from "./packet-teller.ts";
import { steadyClock } from "./steady-clock.ts";
import { provisioningOf } from "./trust.ts";
import { createDeviceMemory, openMemoryCrypto } from "./world/device-memory.ts";
import { createPower } from "./world/power.ts";
import { NO_SYSTEM } from "./world/report.ts";
import { openBase } from "./world/world.ts";

/** Seconds of the device in one of ours: its time-outs of a minute pass in little more than one. */
const SPEED = 50;
const PERIOD_SECONDS = 3;
/** Longer than the cloud takes to answer on a busy machine. */
const RECEIPT_SECONDS = 15;

const HEALTH = { system: NO_SYSTEM, boots: 1, reason: 0, errors: 0 };

export interface WireDevice {
  publicKey: string;
  thumbprint: Buffer;
  events: HistoryEvent[];
  produced: Values[];
  uncaught: unknown[];
  start(port: number, trust: DeviceTrust): void;
  /** One measurement more than was asked for. */
  measureMore(): void;
  /** Sends a health record, an event. False while it has no session yet. */
  sendHealth(): boolean;
  /** False after so many seconds of the device. */
  wait(seconds: number): Promise<false>;
  powerOff(): void;
}

/** The net of node:net, each packet told when it leaves the device and when it arrives. */
function recordingNet(tell: (kind: "sent" | "got", packet: Packet) => void): Net {
  return {
    connect(options, connected) {
      const sent = createTeller((packet) => tell("sent", packet));
      const got = createTeller((packet) => tell("got", packet));
      const inner = netPort.connect(options, () => connected(socket));
      inner.on("data", (data) => got(Buffer.from(data, "latin1")));
      const socket: Socket = {
        write(data) {
          const result = inner.write(data);
          sent(Buffer.from(data, "latin1"));
          return result;
        },
        end: () => inner.end(),
        on: inner.on.bind(inner) as Socket["on"],
      };
      return socket;
    },
  };
}

/** A device with a key of its own that measures so often and then no more. */
export function createWireDevice(measurements: number): WireDevice {
  const base = openBase();
  const uncaught: unknown[] = [];
  const power = createPower({
    cutAt: undefined,
    tornAt: () => [],
    cut() {},
    uncaught: (error) => uncaught.push(error),
  });
  // No dice: the device comes back at once, and waits the shortest it may.
  const crypto = openMemoryCrypto(base.crypto, createDeviceMemory(), power, () => 0);
  const publicKey = base.crypto.exportPublicKey(base.crypto.openDeviceKey());
  const clock = steadyClock(SPEED);
  const sockets: Socket[] = [];
  const events: HistoryEvent[] = [{ kind: "boot" }];
  const produced: Values[] = [];
  let wanted = measurements;
  let running: RunningDevice | undefined;
  const net = recordingNet((kind, packet) => {
    events.push({ kind, packet });
  });

  const sensor: Sensor = {
    quantities: [{ name: "count", unit: "1", exponent: -2 }],
    read(done) {
      if (produced.length >= wanted) return;
      const count = produced.length + 1;
      produced.push({ count: count / 100 });
      done(undefined, [count]);
    },
  };

  return {
    publicKey: toHex(publicKey),
    thumbprint: thumbprintOracle(publicKey),
    events,
    produced,
    uncaught,
    start(port, trust) {
      running = startDevice(
        {
          crypto,
          net: {
            connect(options, connected) {
              const socket = net.connect(options, connected);
              sockets.push(socket);
              return socket;
            },
          },
          clock: {
            uptime: clock.uptime,
            setTimeout: (callback, milliseconds) =>
              clock.setTimeout(() => power.run(callback), milliseconds),
            clearTimeout: clock.clearTimeout,
          },
          log() {},
          report() {},
          life: createLife(() => {}),
          ...coldParts,
          provisioning: () => provisioningOf(trust),
          joinNetwork: (joined) => joined(),
          system: NO_STORAGE,
          restart: () => {},
          createSensor: () => sensor,
        },
        {
          name: "wire",
          network: "host",
          sensors: [{ driver: "count", periodSeconds: PERIOD_SECONDS, qos: 1 }],
          queue: { readings: 32 },
        },
        {
          brokers: [{ host: "127.0.0.1", port }],
          wifi: [],
          receiptSeconds: RECEIPT_SECONDS,
        },
      );
    },
    measureMore() {
      wanted++;
    },
    sendHealth() {
      const report = (error: unknown) => uncaught.push(error);
      if (running?.delivery) sendHealth({ ...HEALTH, clock, report }, running);
      return running?.delivery !== undefined;
    },
    wait: (seconds) =>
      new Promise((resolve) => clock.setTimeout(() => resolve(false), seconds * 1000)),
    powerOff() {
      clock.stop();
      for (const socket of sockets) socket.end();
      crypto.wipe();
      base.close();
    },
  };
}
