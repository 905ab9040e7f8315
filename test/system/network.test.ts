/** The whole way, over networks and brokers that fail, demand TLS or lack QoS 2. */
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { initKeys } from "../../cloud/keys/cloud-keys.ts";
import { readDeviceTrust } from "../../cloud/keys/device-trust.ts";
import type { Measurement } from "../../cloud/receiver/view.ts";
import { type Cloud, startCloud } from "../../cloud/service.ts";
import { type BoardFiles, type LaunchOptions, launchDevice } from "../../simulator/launch.ts";
import { BROKERS } from "../support/brokers.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { freePort } from "../support/free-port.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { startTlsMosquitto } from "../support/tls-broker.ts";

const REGISTER = /--key ([0-9a-f]{130})/;
const SENSOR = { periodSeconds: 0.2, qos: 1 };
const HOST = {
  name: "networked",
  network: "host",
  sensors: [{ driver: "host", ...SENSOR }],
  queue: { readings: 64 },
};
const WIFI = {
  name: "wireless",
  network: "wifi",
  i2c: { sda: "D5", scl: "D6", bitrate: 100_000 },
  sensors: [{ driver: "sht3x", address: 68, ...SENSOR }],
  queue: { readings: 64 },
};

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

let files: Record<"host" | "wifi", BoardFiles>;
beforeAll(async () => {
  const [directory, remove] = await temporaryDirectory("network-boards");
  files = { host: await bundleBoard(directory, HOST), wifi: await bundleBoard(directory, WIFI) };
  return remove;
});

/** Resolves when something told to it matches; looks back, too. */
function createWatch<T>() {
  const told: T[] = [];
  const waiting = new Set<() => void>();
  return {
    told,
    tell(value: T) {
      told.push(value);
      for (const look of waiting) look();
    },
    until(count: number, matches: (value: T) => boolean): Promise<void> {
      return new Promise((resolve) => {
        const look = () => {
          if (told.filter(matches).length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
  };
}

async function startAll(url: string) {
  const [directory, remove] = await temporaryDirectory("network");
  cleanUp.push(remove);
  const keys = join(directory, "keys");
  await initKeys(keys);
  const readings = createWatch<Measurement>();
  const lines = createWatch<string>();
  const cloud: Cloud = await startCloud({
    broker: url,
    keys,
    database: join(directory, "cloud.db"),
    receiptDelayMs: 20,
    log: () => {},
    onReading: readings.tell,
  });
  cleanUp.push(() => cloud.close());

  function boot(
    board: "host" | "wifi",
    settings: LaunchOptions["settings"],
    accessPoints?: LaunchOptions["accessPoints"],
  ) {
    const device = launchDevice({
      files: files[board],
      directory: join(directory, "device"),
      settings: { ...readDeviceTrust(keys), receiptSeconds: 1, ...settings },
      ...(accessPoints && { accessPoints }),
      console(line) {
        const key = REGISTER.exec(line)?.[1];
        if (key !== undefined) void cloud.registerDevice(key, board);
        lines.tell(line);
      },
    });
    cleanUp.push(() => device.powerOff());
    return device;
  }
  const matching = (pattern: RegExp) => lines.told.filter((line) => pattern.test(line));
  return { boot, readings, lines, matching };
}

const any = () => true;

describe("a device with several brokers", () => {
  it("reaches the cloud by the one that is there", async () => {
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const { boot, readings, matching } = await startAll(broker.url);
    const { host, port } = broker;
    boot("host", {
      brokers: [
        { host, port: await freePort() },
        { host, port },
      ],
    });
    await readings.until(4, any);
    expect(matching(/^mqtt: closed/)).toHaveLength(1);
  });
});

describe("a broker without QoS 2", () => {
  it("delivers session and readings, to a device that is told of it", async () => {
    const broker = await startMosquitto({ config: "max_qos 1" });
    cleanUp.push(broker.close);
    const watcher = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
    cleanUp.push(() => watcher.endAsync(true));
    const qosOf: Record<string, number> = {};
    watcher.on("message", (topic, _payload, { qos }) => {
      qosOf[topic.replace(/.*\//, "")] = qos;
    });
    await watcher.subscribeAsync("cf/1/#", { qos: 1 });
    const { boot, readings, matching } = await startAll(broker.url);
    boot("host", { brokers: [{ host: broker.host, port: broker.port, maxQos: 1 }] });
    await readings.until(4, any);
    expect(qosOf).toMatchObject({ session: 1, reading: 1 });
    expect(matching(/next attempt/)).toEqual([]);
  });

  it.each(BROKERS)("need not be one: %s takes all at QoS 1", async (_name, start) => {
    const broker = await start();
    cleanUp.push(broker.close);
    const { boot, readings, matching } = await startAll(broker.url);
    boot("host", { brokers: [{ host: broker.host, port: broker.port, maxQos: 1 }] });
    await readings.until(4, any);
    expect(matching(/next attempt/)).toEqual([]);
  });

  it("ends the connection of one that is not", async () => {
    const broker = await startMosquitto({ config: "max_qos 1" });
    cleanUp.push(broker.close);
    const { boot, readings, lines } = await startAll(broker.url);
    boot("host", { brokers: [{ host: broker.host, port: broker.port }] });
    await lines.until(2, (line) => line.startsWith("mqtt: closed"));
    expect(readings.told).toEqual([]);
  });
});

describe("a broker that demands TLS", () => {
  it.each(["rsa", "ec"] as const)("is used, whatever its certificate says (%s)", async (kind) => {
    const broker = await startTlsMosquitto(kind);
    cleanUp.push(broker.close);
    const { boot, readings, matching } = await startAll(broker.plainUrl);
    boot("host", { brokers: [{ host: broker.host, port: broker.port, tls: true }] });
    await readings.until(4, any);
    expect(matching(/next attempt/)).toEqual([]);
  });

  it("is left for the next one where TLS and plain TCP are mixed up", async () => {
    const broker = await startTlsMosquitto("ec");
    cleanUp.push(broker.close);
    const { host, port } = broker;
    const plain = { host, port: Number(new URL(broker.plainUrl).port) };
    const { boot, readings, matching } = await startAll(broker.plainUrl);
    boot("host", { brokers: [{ host, port }, { ...plain, tls: true }, plain] });
    await readings.until(4, any);
    expect(matching(/^mqtt: closed/)).toHaveLength(2);
  });
});

describe("a device on Wi-Fi", () => {
  const home = { ssid: "home", password: "home password" };
  const away = { ssid: "away", password: "away password" };

  it("takes the network that is in reach, and comes back when it was lost", async () => {
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const { boot, readings, lines, matching } = await startAll(broker.url);
    const points = [home];
    const { host, port } = broker;
    const device = boot("wifi", { brokers: [{ host, port }], wifi: [away, home] }, points);
    await readings.until(4, any);
    expect(matching(/^Wi-Fi/)[0]).toMatch(/^Wi-Fi: not joined, NO_AP_FOUND; next attempt in /);
    expect(matching(/^Wi-Fi/)[1]).toBe("Wi-Fi: joined home as 192.0.2.10, -50 dBm");

    points.length = 0;
    device.loseWifi();
    await lines.until(1, (line) => line.startsWith("Wi-Fi: lost, NO_AP_FOUND"));
    points.push(away);
    await lines.until(1, (line) => line.startsWith("Wi-Fi: joined away"));
    const before = readings.told.length;
    await readings.until(before + 4, any);
  });

  it("says that Espruino did not take its own address, and works under DHCP's", async () => {
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const { boot, readings, matching } = await startAll(broker.url);
    const address = { ip: "192.0.2.77", netmask: "255.255.255.0", gateway: "192.0.2.1" };
    const { host, port } = broker;
    boot("wifi", { brokers: [{ host, port }], wifi: { ...home, address } }, [home]);
    await readings.until(2, any);
    expect(matching(/^Wi-Fi: address, expected 192\.0\.2\.77, got DHCP's/)).toHaveLength(1);
  });

  it("does not start under wrong settings, and says which", async () => {
    const broker = await startMosquitto();
    cleanUp.push(broker.close);
    const { boot, lines } = await startAll(broker.url);
    boot("wifi", { brokers: [], wifi: home });
    expect(lines.told.slice(1)).toEqual([
      "coseflow cannot start: coseflow.json brokers, expected a list of 1 to 4, got a list of 0",
      "state: safe",
      "safe mode (cannot start): restart in 10 min",
    ]);
  });
});
