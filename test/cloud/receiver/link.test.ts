import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";
import mqtt from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { type Link, openLink } from "../../../cloud/receiver/link.ts";
import type { MqttCause, MqttMessage } from "../../../cloud/receiver/mqtt.ts";
import { freePort } from "../../support/free-port.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { startTap } from "../support/tap.ts";

const KID = "00112233aabbccdd";
const SESSION = `cf/1/${KID}/session`;
const READING = `cf/1/${KID}/reading`;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Receive = (message: MqttMessage) => Promise<() => void>;

interface Running {
  link: Link;
  versions: number[];
  lost: MqttCause[];
  older: number;
}

function open(url: string, receive: Receive): Running {
  const running: Partial<Running> & Omit<Running, "link"> = { versions: [], lost: [], older: 0 };
  running.link = openLink(
    { url, clientId: "receiver", prefix: "cf/1" },
    {
      receive,
      open: (version) => running.versions.push(version),
      older: () => running.older++,
      lost: (cause) => running.lost.push(cause),
    },
  );
  closers.push(() => running.link?.close());
  return running as Running;
}

async function publisher(url: string) {
  const client = await mqtt.connectAsync(url);
  closers.push(() => client.endAsync());
  return client;
}

async function mosquitto() {
  const broker = await startMosquitto();
  closers.push(() => broker.close());
  return broker;
}

/** A broker that speaks MQTT 3.1.1 only. */
async function aedes() {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  closers.push(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    server.close();
  });
  return { port, url: `mqtt://127.0.0.1:${port}` };
}

const BROKERS = [
  { name: "Mosquitto, MQTT 5", version: 5, start: mosquitto },
  { name: "aedes, MQTT 3.1.1", version: 4, start: aedes },
] as const;

describe.each(BROKERS)("a link to $name", ({ version, start }) => {
  it("finds the version and receives every quality of service", async () => {
    const broker = await start();
    const received: MqttMessage[] = [];
    const running = open(broker.url, async (message) => {
      received.push(message);
      return () => {};
    });
    await expect.poll(() => running.versions).toEqual([version]);
    expect(running.older).toBe(version === 4 ? 1 : 0);
    const client = await publisher(broker.url);
    await client.publishAsync(SESSION, "s", { qos: 2 });
    await client.publishAsync(READING, "r1", { qos: 1 });
    await client.publishAsync(READING, "r0", { qos: 0 });
    await expect.poll(() => received.length).toBe(3);
    expect(received.map(({ topic, payload, qos }) => [topic, `${payload}`, qos])).toEqual([
      [SESSION, "s", 2],
      [READING, "r1", 1],
      [READING, "r0", 0],
    ]);
  });

  it.each([
    [SESSION, 2, "up pubrec"],
    [READING, 1, "up puback"],
  ] as const)(
    "acknowledges %s (QoS %i) only after the commit, then calls back",
    async (topic, qos, acknowledgement) => {
      const broker = await start();
      const tap = await startTap(broker.port, version);
      closers.push(() => tap.close());
      let commit = () => {};
      const committed = new Promise<void>((resolve) => {
        commit = resolve;
      });
      const running = open(tap.url, async () => {
        tap.seen.push("received");
        await committed;
        tap.seen.push("committed");
        return () => tap.seen.push("told");
      });
      await expect.poll(() => running.versions).toEqual([version]);
      const client = await publisher(broker.url);
      client.publish(topic, "x", { qos });
      await expect.poll(() => tap.seen).toContain("received");
      // Everything the client would send by itself has time to pass while a ping goes round.
      await client.publishAsync("elsewhere", "", { qos: 2 });
      expect(tap.seen).not.toContain(acknowledgement);
      commit();
      await expect.poll(() => tap.seen).toContain(acknowledgement);
      const order = tap.seen.filter((line) =>
        ["committed", acknowledgement, "told"].includes(line),
      );
      expect(order[0]).toBe("committed");
      expect(order).toContain("told");
    },
  );

  it.each([
    [SESSION, 2],
    [READING, 1],
  ] as const)(
    "withholds the acknowledgement of %s (QoS %i) when the commit fails, and gets it again",
    async (topic, qos) => {
      const broker = await start();
      const tap = await startTap(broker.port, version);
      closers.push(() => tap.close());
      const received: string[] = [];
      const running = open(tap.url, async ({ payload }) => {
        received.push(`${payload}`);
        if (received.length === 1) throw new Error("disk full");
        return () => {};
      });
      await expect.poll(() => running.versions).toEqual([version]);
      const client = await publisher(broker.url);
      await client.publishAsync(topic, "x", { qos });
      await expect.poll(() => running.lost).toMatchObject([{ kind: "internal" }]);
      expect(tap.seen.filter((line) => /up pub(ack|rec)/.test(line))).toEqual([]);
      await expect.poll(() => received).toEqual(["x", "x"]);
    },
  );

  it("gets what was published while it was away", async () => {
    const broker = await start();
    const received: string[] = [];
    const receive: Receive = async ({ payload }) => {
      received.push(`${payload}`);
      return () => {};
    };
    const first = open(broker.url, receive);
    await expect.poll(() => first.versions).toEqual([version]);
    await first.link.close();
    const client = await publisher(broker.url);
    await client.publishAsync(SESSION, "s", { qos: 2 });
    await client.publishAsync(READING, "r", { qos: 1 });
    expect(received).toEqual([]);
    open(broker.url, receive);
    await expect.poll(() => received).toEqual(["s", "r"]);
  });

  it("finishes the message at hand before it ends", async () => {
    const broker = await start();
    let finished = false;
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const running = open(broker.url, async () => {
      begin();
      await new Promise((resolve) => setTimeout(resolve, 50));
      finished = true;
      return () => {};
    });
    await expect.poll(() => running.versions).toEqual([version]);
    const client = await publisher(broker.url);
    client.publish(READING, "r", { qos: 1 });
    await begun;
    await running.link.close();
    expect(finished).toBe(true);
    expect(running.link.ready()).toBe(false);
    expect(running.link.publish("x", Buffer.from("x"))).toBe(false);
  });
});

describe("a link", () => {
  const receive: Receive = async () => () => {};

  it("comes back after the connection was cut", async () => {
    const broker = await mosquitto();
    const tap = await startTap(broker.port, 5);
    closers.push(() => tap.close());
    const running = open(tap.url, receive);
    await expect.poll(() => running.versions).toEqual([5]);
    tap.cut();
    await expect.poll(() => running.versions).toEqual([5, 5]);
    expect(running.lost).toMatchObject([{ kind: "network" }]);
  });

  it("keeps trying while there is no broker, and stops when closed", async () => {
    const port = await freePort();
    const running = open(`mqtt://127.0.0.1:${port}`, receive);
    await expect.poll(() => running.lost.length).toBe(2);
    expect(running.lost[0]).toMatchObject({ kind: "network", error: { code: "ECONNREFUSED" } });
    await running.link.close();
    const attempts = running.lost.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(running.lost.length).toBe(attempts);
  });
});
