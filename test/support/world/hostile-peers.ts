/** Brokers that forget, refuse or lie. Each answers the device in place of the honest one. */
import { generate, type Packet, parser } from "mqtt-packet";
import { send } from "./memory-broker.ts";
import type { Link, Peer } from "./virtual-net.ts";
import type { World } from "./world.ts";

/** What a broker answers to a packet of the device's, packet by packet. */
type Answer = (packet: Packet, link: Link) => void;

/** A broker that keeps nothing and answers as told. */
function answering(answer: Answer): Peer {
  return {
    isUp: () => true,
    open(link) {
      const reader = parser({ protocolVersion: 4 });
      reader.on("packet", (packet) => answer(packet, link));
      return { data: (data) => void reader.parse(data), closed() {} };
    },
  };
}

/** The honest broker, with what it sends to the device changed. */
function meddling(world: World, change: (data: Buffer) => Buffer[]): Peer {
  return {
    isUp: () => true,
    open: (link) =>
      world.broker.open({
        close: link.close,
        send(data) {
          for (const piece of change(data)) link.send(piece);
        },
      }),
  };
}

const typeOf = (data: Buffer) => (data[0] as number) >> 4;
const [CONNACK, PUBLISH, PUBACK, PUBREC, PUBCOMP, SUBACK] = [2, 3, 4, 5, 7, 9];

/** What an honest broker answers to CONNECT and SUBSCRIBE, without a session. */
function welcome(packet: Packet, link: Link): void {
  if (packet.cmd === "connect")
    send(link, { cmd: "connack", sessionPresent: false, returnCode: 0 });
  if (packet.cmd === "subscribe")
    send(link, { cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] });
}

/** Says this as soon as the device is subscribed, and nothing more. */
function saying(...words: Buffer[]): Peer {
  return answering((packet, link) => {
    welcome(packet, link);
    if (packet.cmd === "subscribe") for (const word of words) link.send(word);
  });
}

/** Another packet id in an acknowledgement. */
function otherId(data: Buffer): Buffer {
  const changed = Buffer.from(data);
  changed[3] = (changed[3] as number) ^ 0x15;
  return changed;
}

function wrongId(type: number | undefined) {
  return (world: World) =>
    meddling(world, (data) => [typeOf(data) === type ? otherId(data) : data]);
}

export function publish(topic: string, payload: Buffer, qos: 0 | 1 | 2, messageId: number): Buffer {
  return generate({ cmd: "publish", topic, payload, qos, messageId, dup: false, retain: false });
}

/** One packet of so many messages to the device's own topic. */
export function burst(world: Pick<World, "receiptTopic">, count: number, qos: 0 | 1 | 2): Buffer {
  const messages = Array.from({ length: count }, (_, at) =>
    publish(world.receiptTopic, Buffer.from("no receipt"), qos, (at % 60_000) + 1),
  );
  return Buffer.concat(messages);
}

/** Every message is taken, acknowledged as MQTT asks, and lost. */
const sink = answering((packet, link) => {
  welcome(packet, link);
  if (packet.cmd === "pubrel") send(link, { cmd: "pubcomp", messageId: packet.messageId ?? 0 });
  if (packet.cmd === "pingreq") send(link, { cmd: "pingresp" });
  if (packet.cmd !== "publish" || packet.qos === 0) return;
  send(link, { cmd: packet.qos === 2 ? "pubrec" : "puback", messageId: packet.messageId ?? 0 });
});

/** The honest broker that loses everything whenever the device subscribes. */
function amnesiac(world: World): Peer {
  return meddling(world, (data) => {
    if (typeOf(data) === SUBACK) world.scheduler.at(15_000, () => world.broker.forget());
    return [data];
  });
}

/** One byte a second, whatever it is. */
function trickling(world: World): Peer {
  return {
    isUp: () => true,
    open(link) {
      let free = 0;
      return world.broker.open({
        close: link.close,
        send(data) {
          for (const byte of data) {
            free = Math.max(free, world.scheduler.now()) + 1;
            const wait = (free - world.scheduler.now()) * 1000;
            world.scheduler.at(wait, () => link.send(Buffer.of(byte)));
          }
        },
      });
    },
  };
}

/** Gives the device what it is told, on the device's own receipt topic. */
export function replaying(world: World, receipts: Buffer[]): Peer {
  return saying(...receipts.map((receipt, at) => publish(world.receiptTopic, receipt, 1, at + 1)));
}

const refusing = (returnCode: number) => () =>
  answering((packet, link) => {
    if (packet.cmd === "connect") send(link, { cmd: "connack", sessionPresent: false, returnCode });
  });

const LONGEST = Buffer.from([0xff, 0xff, 0xff, 0x7f]);
export const withLength256M = (first: number) => Buffer.concat([Buffer.of(first), LONGEST]);
/** A PUBLISH that is all topic, as long as its lengths allow. */
export const allTopic = Buffer.concat([
  Buffer.from([0x30, 0xff, 0xff, 0x03, 0xff, 0xfd]),
  Buffer.alloc(0xfffd, "t"),
]);

/** By what they do. */
export const HOSTILE: Record<string, (world: World) => Peer> = {
  "takes all messages and loses them after PUBCOMP": () => sink,
  "forgets sessions and messages again and again": amnesiac,
  "refuses connections": () => ({ ...sink, isUp: () => false }),
  "hangs up at once": () => ({
    isUp: () => true,
    open(link) {
      link.close();
      return { data() {}, closed() {} };
    },
  }),
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 255].map((code) => [`refuses with code ${code}`, refusing(code)]),
  ),
  "never sends CONNACK": () => answering(() => {}),
  "sends CONNACK and nothing after it": () =>
    answering((packet, link) => {
      if (packet.cmd === "connect") welcome(packet, link);
    }),
  "sends CONNACK twice": (world) =>
    meddling(world, (data) => (typeOf(data) === CONNACK ? [data, data] : [data])),
  "sends CONNACK again after SUBACK": () =>
    saying(generate({ cmd: "connack", sessionPresent: false, returnCode: 0 })),
  "sends a message before CONNACK": (world) =>
    meddling(world, (data) => (typeOf(data) === CONNACK ? [burst(world, 1, 1), data] : [data])),
  "refuses the subscription": (world) =>
    meddling(world, (data) =>
      typeOf(data) === SUBACK ? [Buffer.from([0x90, 3, 0, 1, 0x80])] : [data],
    ),
  "sends PUBREC for another message": wrongId(PUBREC),
  "sends PUBCOMP for another message": wrongId(PUBCOMP),
  "sends PUBACK for another message": wrongId(PUBACK),
  "sends PUBACK for messages of QoS 2": (world) =>
    meddling(world, (data) =>
      typeOf(data) === PUBREC ? [Buffer.concat([Buffer.of(0x40), data.subarray(1)])] : [data],
    ),
  "sends PUBCOMP in place of PUBREC": (world) =>
    meddling(world, (data) =>
      typeOf(data) === PUBREC ? [Buffer.concat([Buffer.of(0x70), data.subarray(1)])] : [data],
    ),
  "sends packet id 0": (world) =>
    meddling(world, (data) => (typeOf(data) === PUBACK ? [Buffer.from([0x40, 2, 0, 0])] : [data])),
  ...Object.fromEntries(
    [0, 1, 8, 10, 11, 12, 14, 15].map((type) => [
      `sends a packet of type ${type}`,
      () => saying(Buffer.from([type << 4, 2, 0, 9])),
    ]),
  ),
  "announces a message of 256 MB": () => saying(withLength256M(0x30), Buffer.alloc(5000)),
  "announces an acknowledgement of 256 MB": () => saying(withLength256M(0x40)),
  "sends a length of five bytes": () => saying(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1])),
  "sends a message that is all topic": () => saying(allTopic),
  "sends topics with wildcards": () => saying(publish("cf/1/+/receipt", Buffer.of(1), 0, 1)),
  "sends a topic longer than its packet": () => saying(Buffer.from([0x30, 4, 0xff, 0xff, 1, 2])),
  "sends one byte a second": trickling,
  "answers pings that nobody sent": () =>
    saying(...Array.from({ length: 1000 }, () => generate({ cmd: "pingresp" }))),
  "releases messages that it never sent": () =>
    saying(
      ...Array.from({ length: 200 }, (_, at) => generate({ cmd: "pubrel", messageId: at + 1 })),
    ),
  "sends every message to the device twice": (world) =>
    meddling(world, (data) => (typeOf(data) === PUBLISH ? [data, data] : [data])),
  "sends receipts under another topic": (world) =>
    meddling(world, (data) => {
      if (typeOf(data) !== PUBLISH) return [data];
      const changed = Buffer.from(data);
      changed[6] = (changed[6] as number) ^ 1;
      return [changed];
    }),
};
