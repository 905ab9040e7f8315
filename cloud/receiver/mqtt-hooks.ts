/**
 * Where in mqtt.js a message is committed. Its "message" event is too late: for QoS 2
 * it comes after PUBREC, and a receiver killed between the two has lost the message.
 * Each way here runs before the acknowledgement and can withhold it:
 *
 * - MQTT 5, QoS 1 and 2: `customHandleAcks`;
 * - MQTT 3.1.1, QoS 2: `put` of the incoming store, whose callback sends PUBREC;
 * - MQTT 3.1.1, QoS 1, and QoS 0 of both: `handleMessage`.
 *
 * A hook that never calls back withholds the acknowledgement and stops the client's
 * packet queue; the connection is then closed, and the broker keeps the message.
 */
import { type IClientOptions, type IPublishPacket, type MqttClient, Store } from "mqtt";

/** A packet to commit; `acknowledge` is called once it is durable, or never. */
export type Deliver = (packet: IPublishPacket, acknowledge: () => void) => void;

type IncomingStore = NonNullable<IClientOptions["incomingStore"]>;

/**
 * Commits what mqtt.js puts into it. It keeps the packet only for mqtt.js itself,
 * which looks for it at PUBREL.
 */
function committingStore(deliver: Deliver): IncomingStore {
  const packets = new Store();
  const store: IncomingStore = {
    put(packet, done) {
      deliver(packet as IPublishPacket, () => packets.put(packet, done));
      return store;
    },
    get(packet, done) {
      packets.get(packet, done);
      return store;
    },
    del(packet, done) {
      packets.del(packet, done);
      return store;
    },
    createStream: () => packets.createStream(),
    close: (done) => packets.close(done),
  };
  return store;
}

/** The connection options that make `deliver` see QoS 1 and 2 before their acknowledgement. */
export function deliveryOptions(version: 4 | 5, deliver: Deliver): IClientOptions {
  if (version === 4) return { incomingStore: committingStore(deliver) };
  return {
    customHandleAcks: (_topic, _payload, packet, done) => deliver(packet, () => done(0)),
  };
}

/** Makes `deliver` see what the options do not reach. */
export function deliverTheRest(client: MqttClient, version: 4 | 5, deliver: Deliver): void {
  const seenBefore = version === 5 ? 1 : 2;
  client.handleMessage = (packet, done) => {
    if (packet.qos >= seenBefore) done();
    else deliver(packet, () => done());
  };
}
