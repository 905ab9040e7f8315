import { beforeEach, describe, expect, it } from "vitest";
import type { Broker } from "../../../firmware/mqtt/broker.ts";
import { createMqttClient } from "../../../firmware/mqtt/client.ts";
import { type MqttClient, UNHEARD } from "../../../firmware/mqtt/options.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import type { HandNet, HandSocket } from "../../support/hand-net.ts";
import { acceptLatest, CONNACK, CONNACK_PRESENT, createHandNet } from "../../support/hand-net.ts";
import type { ManualClock } from "../../support/manual-clock.ts";
import { createManualClock } from "../../support/manual-clock.ts";
import { fromOracle, oracle } from "../../support/mqtt-oracle.ts";

const REFUSED = "\x20\x02\x00\x05";
const BROKERS: Broker[] = [
  { host: "a", port: 1883 },
  { host: "b", port: 8883, tls: true, username: "u", password: "s3cret" },
  { host: "c", port: 1884, maxQos: 1 },
];

describe("client with several brokers", () => {
  let clock: ManualClock;
  let net: HandNet;
  let log: string[];
  let messages: string[];
  let client: MqttClient;
  let connectTakes: number;
  let connectFails: boolean;

  function create(brokers: Broker[]): void {
    client = createMqttClient({
      net,
      clock,
      random: () => "\xff\xff" as Bytes,
      log: (line) => log.push(line),
      brokers,
      clientId: "c",
      keepAlive: 60,
      subscriptions: [{ topicFilter: "t", qos: 2 }],
      onMessage: (_topic, payload) => messages.push(payload),
      onReady: () => {},
      onConnection: () => {},
    });
  }

  const hosts = () => net.addresses.map(({ host }) => host).join("");
  /** Online for longer than it takes a connection to count as a success. */
  function stay(socket: HandSocket): void {
    for (let second = 0; second < 90; second += 10) {
      clock.advance(10);
      socket.emit("drain");
      socket.emit("data", fromOracle({ cmd: "pingresp" }));
    }
  }

  beforeEach(() => {
    clock = createManualClock();
    net = createHandNet();
    log = [];
    messages = [];
    connectTakes = 0;
    connectFails = false;
    net.onConnect = () => {
      if (connectTakes > 0) clock.advance(connectTakes);
      if (connectFails) throw new Error("Unable to create socket");
    };
    create(BROKERS);
  });

  it("tries them in turn, for ever, with its back-off", () => {
    connectFails = true;
    client.connect();
    clock.advance(70);
    expect(hosts()).toBe("abcabca");
  });

  it.each<[string, (socket: HandSocket) => void]>([
    ["the call throws", () => {}],
    ["CONNACK refuses", (socket) => socket.emit("data", REFUSED)],
    ["it closes before CONNACK", (socket) => socket.emit("close", false)],
    ["it sends garbage", (socket) => socket.emit("data", "HTTP/1.1 400")],
    ["it never answers", () => clock.advance(45)],
    [
      "it ends soon after SUBACK",
      (socket) => {
        acceptLatest(net, CONNACK);
        clock.advance(20);
        socket.emit("close", false);
      },
    ],
  ])("goes to the next when %s", (name, fail) => {
    connectFails = name === "the call throws";
    client.connect();
    if (!connectFails) fail(net.latest());
    connectFails = false;
    clock.advance(1);
    expect(hosts()).toBe("ab");
  });

  it("leaves one that worked for long when told that nothing comes back from it", () => {
    client.connect();
    stay(acceptLatest(net, CONNACK));
    client.drop(UNHEARD);
    clock.advance(1);
    expect(hosts()).toBe("ab");
    stay(acceptLatest(net, CONNACK));
    client.drop("another reason");
    clock.advance(1);
    expect(hosts()).toBe("abb");
    expect([client.turn.broker.host, client.turn.connects]).toEqual(["b", 2]);
  });

  it("ends nothing when it is told so between two attempts", () => {
    connectFails = true;
    client.connect();
    log.length = 0;
    client.drop(UNHEARD);
    expect(log).toEqual([]);
  });

  it("stays with one that worked for a minute, and leaves it when it does not come back", () => {
    connectFails = true;
    client.connect();
    connectFails = false;
    clock.advance(1);
    const socket = acceptLatest(net, CONNACK);
    stay(socket);
    connectFails = true;
    socket.emit("close", false);
    clock.advance(1);
    expect(hosts()).toBe("abb");
    clock.advance(2);
    expect(hosts()).toBe("abbc");
  });

  it("gives each its own port, TLS, name and password", () => {
    client.connect();
    net.latest().emit("data", REFUSED);
    clock.advance(1);
    expect(net.addresses).toEqual([
      { host: "a", port: 1883, tls: false },
      { host: "b", port: 8883, tls: true },
    ]);
    const [first, second] = net.sockets as [HandSocket, HandSocket];
    second.connected();
    expect(first.written).toEqual([]);
    expect(oracle(second.written[0] as string)).toMatchObject({
      username: "u",
      password: Buffer.from("s3cret"),
    });
    acceptLatest(net, CONNACK);
    expect(log[log.length - 1]).toBe("mqtt: connected to b, session new");
    expect(log.join()).not.toContain("s3cret");
  });

  it.each([true, false])(
    "waits two minutes after a call that blocked, whichever broker is next (throwing: %s)",
    (throws) => {
      connectTakes = 20;
      connectFails = throws;
      client.connect();
      connectTakes = 0;
      if (!throws) net.latest().emit("close", false);
      clock.advance(119);
      expect(hosts()).toBe("a");
      clock.advance(1);
      expect(hosts()).toBe("ab");
    },
  );

  it("does not wait two minutes after a connection that worked, though its call had blocked", () => {
    connectTakes = 20;
    client.connect();
    connectTakes = 0;
    const socket = acceptLatest(net, CONNACK);
    stay(socket);
    socket.emit("close", false);
    clock.advance(1);
    expect(hosts()).toBe("aa");
  });

  it("gives a broker its 45 s for CONNACK, however long the call itself took", () => {
    connectTakes = 50;
    client.connect();
    clock.advance(44);
    acceptLatest(net, CONNACK);
    expect(log).toEqual(["mqtt: connected to a, session new"]);
  });

  it("ignores a CONNACK that comes too late", () => {
    client.connect();
    const socket = net.latest();
    clock.advance(45.5);
    socket.connected();
    socket.emit("data", CONNACK);
    expect(log).toHaveLength(1);
    expect(socket.written).toEqual([]);
  });

  it("leaves a broker that talks but never reads", () => {
    client.connect();
    const socket = acceptLatest(net, CONNACK);
    expect(client.publish("t", "x" as Bytes, 0, () => {})).toBe(true);
    for (let second = 0; second < 90 && !socket.ended; second += 5) {
      clock.advance(5);
      socket.emit("data", fromOracle({ cmd: "publish", topic: "t", payload: "x", qos: 0 }));
    }
    expect(log[1]).toMatch(/^mqtt: keep-alive; /);
    expect(socket.ended).toBe(true);
  });

  describe("with messages in flight", () => {
    const kinds = (socket: HandSocket) =>
      socket.written.slice(2).map((packet) => {
        const { cmd, qos, dup } = oracle(packet);
        return `${cmd} ${qos} ${dup}`;
      });
    const idOf = (packet: string | undefined) => oracle(packet as string).messageId as number;
    let done: number;

    /** Two QoS 2 messages at the first broker, of which one has come to PUBREL. */
    function fill(): HandSocket {
      client.connect();
      const socket = acceptLatest(net, CONNACK);
      for (const payload of ["x", "y"]) {
        expect(client.publish("t", payload as Bytes, 2, () => done++)).toBe(true);
        socket.emit("drain");
      }
      socket.emit("data", fromOracle({ cmd: "pubrec", messageId: idOf(socket.written[2]) }));
      socket.emit(
        "data",
        fromOracle({ cmd: "publish", topic: "t", payload: "in", qos: 2, messageId: 9 }),
      );
      socket.emit("drain");
      expect(kinds(socket).slice(0, 2)).toEqual(["publish 2 false", "publish 2 false"]);
      return socket;
    }

    function next(connack: string): HandSocket {
      clock.advance(4);
      const socket = acceptLatest(net, connack);
      for (let i = 0; i < 4; i++) socket.emit("drain");
      return socket;
    }

    beforeEach(() => {
      done = 0;
    });

    it("sends all again as new to another broker, also to one with an old session", () => {
      fill().emit("close", false);
      const socket = next(CONNACK_PRESENT);
      expect(hosts()).toBe("ab");
      expect(kinds(socket)).toEqual(["publish 2 false", "publish 2 false"]);
      // What the first broker was about to release is unknown here.
      socket.emit(
        "data",
        fromOracle({ cmd: "publish", topic: "t", payload: "in", qos: 2, messageId: 9 }),
      );
      expect(messages).toEqual(["in", "in"]);
    });

    it("goes on where it was with the same broker", () => {
      create([BROKERS[0] as Broker]);
      fill().emit("close", false);
      expect(kinds(next(CONNACK_PRESENT))).toEqual(["pubrel 1 false", "publish 2 true"]);
    });

    it("sends at QoS 1 to a broker declared so, and back at 2", () => {
      create([BROKERS[2] as Broker, BROKERS[0] as Broker]);
      client.connect();
      const first = acceptLatest(net, CONNACK);
      expect(oracle(first.written[1] as string)).toMatchObject({ subscriptions: [{ qos: 1 }] });
      for (const payload of ["x", "y"]) {
        client.publish("t", payload as Bytes, 2, () => done++);
        first.emit("drain");
      }
      expect(kinds(first)).toEqual(["publish 1 false", "publish 1 false"]);
      first.emit("data", fromOracle({ cmd: "puback", messageId: idOf(first.written[2]) }));
      expect(done).toBe(1);
      first.emit("close", false);
      const second = next(CONNACK);
      expect(kinds(second)).toEqual(["publish 2 false"]);
      expect(oracle(second.written[1] as string)).toMatchObject({ subscriptions: [{ qos: 2 }] });
      second.emit("close", false);
      const third = next(CONNACK_PRESENT);
      expect(kinds(third)).toEqual(["publish 1 false"]);
      third.emit("data", fromOracle({ cmd: "puback", messageId: idOf(third.written[2]) }));
      expect(done).toBe(2);
    });

    it("repeats with DUP at QoS 1 within the session of such a broker", () => {
      create([BROKERS[2] as Broker]);
      client.connect();
      const first = acceptLatest(net, CONNACK);
      client.publish("t", "x" as Bytes, 2, () => done++);
      first.emit("close", false);
      expect(kinds(next(CONNACK_PRESENT))).toEqual(["publish 1 true"]);
    });
  });
});
