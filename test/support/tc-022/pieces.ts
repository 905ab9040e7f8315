/** A recording, cut into the packets of MQTT and sorted by what they are for. */
import { type Packet, parser } from "mqtt-packet";
import { CLOUD_TOPIC, parseTopic, TOPIC_PREFIX } from "../../../protocol/topics.ts";
import { createSplitter } from "../packet-splitter.ts";
import type { Recording } from "./recorder.ts";

/** A packet, or the broker's log as a whole. */
export interface Piece {
  /** Whose connection, and which way. */
  from: string;
  messageClass: string;
  bytes: Buffer;
  /** Where something may stand in it. */
  places: [name: string, content: Buffer][];
}

/** Classes of packets that carry no message. */
export const CONNECTION = "(connection)";
export const SUBSCRIPTION = "(subscription)";
export const ACKNOWLEDGEMENT = "(acknowledgement)";
export const BROKER_LOG = "(broker's log)";
/** What does not read as a packet, or is on a topic that the profile does not know. */
export const UNKNOWN = "(unknown)";
export const CERTIFICATE = "cloud certificate";

const CONTROL: Record<string, string> = {
  connect: CONNECTION,
  connack: CONNECTION,
  disconnect: CONNECTION,
  subscribe: SUBSCRIPTION,
  suback: SUBSCRIPTION,
  puback: ACKNOWLEDGEMENT,
  pubrec: ACKNOWLEDGEMENT,
  pubrel: ACKNOWLEDGEMENT,
  pubcomp: ACKNOWLEDGEMENT,
  pingreq: ACKNOWLEDGEMENT,
  pingresp: ACKNOWLEDGEMENT,
};

/** What a command tells to do, by its bytes in base64: of a sealed one nobody else can say. */
export type Actions = ReadonlyMap<string, string>;

function classOfMessage(topic: string, payload: Buffer, actions: Actions): string {
  if (topic === TOPIC_PREFIX + CLOUD_TOPIC) return CERTIFICATE;
  try {
    const { messageClass } = parseTopic(TOPIC_PREFIX, topic);
    if (messageClass !== "command") return messageClass;
    const action = actions.get(payload.toString("base64"));
    return action === undefined ? UNKNOWN : `command ${action}`;
  } catch {
    return UNKNOWN;
  }
}

function read(bytes: Buffer, protocolVersion: number): Packet | undefined {
  const reader = parser({ protocolVersion });
  let packet: Packet | undefined;
  reader.on("packet", (found) => {
    packet = found;
  });
  reader.on("error", () => {});
  reader.parse(bytes);
  return packet;
}

function sort(packet: Packet | undefined, actions: Actions): Omit<Piece, "from" | "bytes"> {
  if (packet === undefined) return { messageClass: UNKNOWN, places: [] };
  const messageClass = CONTROL[packet.cmd] ?? UNKNOWN;
  if (packet.cmd === "connect") {
    const { clientId, username = "", password = "" } = packet;
    const all = { "client id": clientId, "user name": username, password };
    const places = Object.entries(all).map(([name, text]): Piece["places"][number] => [
      name,
      Buffer.from(text),
    ]);
    return { messageClass, places };
  }
  if (packet.cmd !== "publish") return { messageClass, places: [] };
  const { topic } = packet;
  const payload = packet.payload as Buffer;
  return {
    messageClass: classOfMessage(topic, payload, actions),
    places: [
      ["topic", Buffer.from(topic)],
      ["payload", payload],
    ],
  };
}

/** The version that a connection speaks: its first packet says it. */
function versionOf(first: Buffer | undefined): number {
  const packet = first && read(first, 4);
  return packet?.cmd === "connect" ? (packet.protocolVersion ?? 4) : 4;
}

function packetsOf(stream: Buffer): Buffer[] {
  const packets = createSplitter()(stream);
  const rest = stream.subarray(packets.reduce((sum, { length }) => sum + length, 0));
  return rest.length > 0 ? [...packets, rest] : packets;
}

/** Every byte of a connection is in one piece, and each direction's pieces are in their order. */
export function piecesOf({ party, up, down }: Recording, actions: Actions): Piece[] {
  const [sent, received] = [packetsOf(Buffer.concat(up)), packetsOf(Buffer.concat(down))];
  const version = versionOf(sent[0]);
  const toPiece = (from: string) => (bytes: Buffer) => ({
    from,
    bytes,
    ...sort(read(bytes, version), actions),
  });
  return [
    ...sent.map(toPiece(`${party} to broker`)),
    ...received.map(toPiece(`broker to ${party}`)),
  ];
}

export const logPiece = (text: string): Piece => ({
  from: "broker",
  messageClass: BROKER_LOG,
  bytes: Buffer.from(text),
  places: [["log", Buffer.from(text)]],
});
