/** An honest MQTT 3.1.1 broker in memory, with lasting sessions, for one scheduler. */
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
  parser,
} from "mqtt-packet";
import type { Link, Peer } from "./virtual-net.ts";

export type Forward = (topic: string, payload: Buffer, qos: number) => Promise<void>;

interface Outgoing {
  messageId: number;
  topic: string;
  payload: Buffer;
  isSent: boolean;
}

interface Session {
  filters: Set<string>;
  /** Messages of QoS 2 between PUBLISH and PUBREL. */
  held: Map<number, IPublishPacket>;
  queue: Outgoing[];
  lastId: number;
  /** The connection that the session is on. */
  link: Link | undefined;
}

export interface MemoryBroker extends Peer {
  /** To whoever subscribes to exactly this topic, at QoS 1. */
  publish(topic: string, payload: Buffer): void;
  /** False: every connection ends, and new ones are refused. */
  setUp(isUp: boolean): void;
  /** Loses every session and what waits in it; connections end. */
  forget(): void;
  /** Loses every subscription, or those to topics that end so, and says so to nobody: connections go on. */
  forgetSubscriptions(ending?: string): void;
}

export function createMemoryBroker(forward: Forward): MemoryBroker {
  const sessions = new Map<string, Session>();
  let isUp = true;

  function hangUp(): void {
    for (const session of sessions.values()) {
      session.link?.close();
      session.link = undefined;
    }
  }

  function connect(packet: IConnectPacket, link: Link): Session {
    const known = packet.clean ? undefined : sessions.get(packet.clientId);
    known?.link?.close();
    const session = known ?? {
      filters: new Set(),
      held: new Map(),
      queue: [],
      lastId: 0,
      link: undefined,
    };
    session.link = link;
    sessions.set(packet.clientId, session);
    send(link, { cmd: "connack", sessionPresent: known !== undefined, returnCode: 0 });
    for (const message of session.queue) sendOutgoing(session, message);
    return session;
  }

  function sendOutgoing(session: Session, message: Outgoing): void {
    if (!session.link) return;
    const { messageId, topic, payload, isSent } = message;
    const dup = isSent;
    send(session.link, { cmd: "publish", qos: 1, messageId, topic, payload, dup, retain: false });
    message.isSent = true;
  }

  async function publish(packet: IPublishPacket, session: Session, link: Link): Promise<void> {
    const { topic, qos, messageId = 0 } = packet;
    if (qos === 2) {
      session.held.set(messageId, packet);
      send(link, { cmd: "pubrec", messageId });
      return;
    }
    await forward(topic, packet.payload as Buffer, qos);
    if (qos === 1) send(link, { cmd: "puback", messageId });
  }

  /** As Mosquitto: what is released goes on to its subscribers. */
  async function release(messageId: number, session: Session, link: Link): Promise<void> {
    const held = session.held.get(messageId);
    session.held.delete(messageId);
    if (held) await forward(held.topic, held.payload as Buffer, 2);
    send(link, { cmd: "pubcomp", messageId });
  }

  async function handle(packet: Packet, session: Session, link: Link): Promise<void> {
    if (packet.cmd === "publish") await publish(packet, session, link);
    else if (packet.cmd === "pubrel") await release(packet.messageId as number, session, link);
    else if (packet.cmd === "puback")
      session.queue = session.queue.filter(({ messageId }) => messageId !== packet.messageId);
    else if (packet.cmd === "pingreq") send(link, { cmd: "pingresp" });
    else if (packet.cmd === "subscribe") {
      for (const { topic } of packet.subscriptions) session.filters.add(topic);
      const { messageId = 0 } = packet;
      send(link, { cmd: "suback", messageId, granted: packet.subscriptions.map(({ qos }) => qos) });
    }
  }

  return {
    isUp: () => isUp,
    open(link) {
      const reader = parser({ protocolVersion: 4 });
      const packets: Packet[] = [];
      let session: Session | undefined;
      reader.on("packet", (packet) => packets.push(packet));
      return {
        async data(data) {
          reader.parse(data);
          for (let packet = packets.shift(); packet; packet = packets.shift()) {
            if (packet.cmd === "connect") session = connect(packet, link);
            else if (session?.link === link) await handle(packet, session, link);
          }
        },
        closed() {
          if (session?.link === link) session.link = undefined;
        },
      };
    },
    publish(topic, payload) {
      for (const session of sessions.values()) {
        if (!session.filters.has(topic)) continue;
        session.lastId = (session.lastId % 65535) + 1;
        const message = { messageId: session.lastId, topic, payload, isSent: false };
        session.queue.push(message);
        sendOutgoing(session, message);
      }
    },
    setUp(value) {
      isUp = value;
      if (!value) hangUp();
    },
    forget() {
      hangUp();
      sessions.clear();
    },
    forgetSubscriptions(ending = "") {
      for (const { filters } of sessions.values())
        for (const filter of filters) if (filter.endsWith(ending)) filters.delete(filter);
    },
  };
}

export function send(link: Link, packet: Packet): void {
  link.send(generate(packet));
}
