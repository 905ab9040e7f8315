/** The packets of a stream of MQTT 3.1.1, as an observer beside the wire reads them. */
import { type Packet, parser } from "mqtt-packet";

/** Whose whole content is a packet id. */
const ACKNOWLEDGEMENTS = ["puback", "pubrec", "pubrel", "pubcomp", "unsuback"];
const ID_LENGTH = 2;

/**
 * Tells the packets of what arrives, up to the first that is none. mqtt-packet takes the id of an
 * acknowledgement without one from the bytes behind it, and packet id 0 (MQTT-2.3.1-1); those are none either.
 */
export function createTeller(tell: (packet: Packet) => void): (data: Buffer) => void {
  const reader = parser({ protocolVersion: 4 });
  let isReadable = true;
  reader.on("packet", (packet) => {
    if (ACKNOWLEDGEMENTS.includes(packet.cmd) && packet.length !== ID_LENGTH) isReadable = false;
    if (packet.messageId === 0) isReadable = false;
    if (isReadable) tell(packet);
  });
  reader.on("error", () => {
    isReadable = false;
  });
  return (data) => {
    if (isReadable) reader.parse(data);
  };
}
