import { randomBytes } from "node:crypto";
import type { IConnackPacket, MqttClient } from "mqtt";
import { CLASSES } from "../../protocol/topics.ts";
import { SESSION_SECONDS } from "./broker-connection.ts";
import { bad, type Finding, ok, warn } from "./check.ts";

/** How long a message may be on its way from us to us. */
const ROUND_TRIP_MS = 5000;
/** Of a packet beside its message: head, topic, packet id, properties. */
const PACKET_OVERHEAD = 128;

type Properties = NonNullable<IConnackPacket["properties"]>;

const LONGEST_MESSAGE = Math.max(...Object.values(CLASSES).map(({ limit }) => limit));

/** In mosquitto.conf; other brokers have the same under other names. */
const inConfig = (line: string) => `set in the broker's configuration (mosquitto.conf: ${line})`;

/** What an MQTT 5 broker says of itself when it takes a connection; what it leaves out it can. */
export function judgeProperties(properties: Properties): Finding[] {
  const {
    retainAvailable,
    wildcardSubscriptionAvailable,
    sharedSubscriptionAvailable,
    maximumPacketSize,
    sessionExpiryInterval,
    receiveMaximum = 65535,
  } = properties;
  const findings: Finding[] = [];
  if (wildcardSubscriptionAvailable === false)
    findings.push(
      bad("no wildcards in topic filters", "serve subscribes to cf/1/+/...", "use another broker"),
    );
  if (retainAvailable === false)
    findings.push(
      warn(
        "no retained messages",
        "what is kept for devices that connect later does not reach them",
        inConfig("retain_available true"),
      ),
    );
  if (sharedSubscriptionAvailable === false)
    findings.push(
      warn("no shared subscriptions", "several receivers cannot share the work", "run one serve"),
    );
  if (maximumPacketSize !== undefined && maximumPacketSize < LONGEST_MESSAGE + PACKET_OVERHEAD)
    findings.push(
      bad(
        `packets of at most ${maximumPacketSize} bytes`,
        `messages have up to ${LONGEST_MESSAGE}`,
        inConfig(`max_packet_size ${LONGEST_MESSAGE + PACKET_OVERHEAD}`),
      ),
    );
  if (sessionExpiryInterval !== undefined && sessionExpiryInterval < SESSION_SECONDS)
    findings.push(
      warn(
        `keeps a session for ${sessionExpiryInterval} s only`,
        "after a longer outage of serve, what was queued for it is lost; devices send it again",
        inConfig("persistent_client_expiration 7d"),
      ),
    );
  const packets = maximumPacketSize === undefined ? "any size" : `up to ${maximumPacketSize} bytes`;
  findings.push(
    ok(
      `takes ${receiveMaximum} messages at once, packets of ${packets}; ` +
        "how many it queues, MQTT does not tell (Mosquitto: max_queued_messages)",
    ),
  );
  return findings;
}

/** What sends QoS 2 here, and what to do where a broker has less. */
export function judgeQos(maximum: number): Finding {
  if (maximum >= 2) return ok("QoS 2");
  const text = `QoS ${maximum} at most`;
  if (maximum === 1)
    return warn(
      text,
      "a device's session and event messages go with QoS 2, and the broker would close its connection",
      "\"maxQos\": 1 in the broker's entry of the device's settings, or in mosquitto.conf: max_qos 2",
    );
  return bad(text, "nothing is acknowledged: messages are lost", inConfig("max_qos 2"));
}

/** Resolves to whether a message came in time. */
function nextMessage(client: MqttClient): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ROUND_TRIP_MS);
    client.once("message", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Sends a message to itself: over a subscription, or a shared one. */
export async function tryRoundTrip(
  client: MqttClient,
  prefix: string,
  qos: 1 | 2,
  group: string | undefined,
): Promise<Finding> {
  const name = `${group === undefined ? "" : "shared subscription, "}QoS ${qos}`;
  const topic = `${prefix}/doctor/${randomBytes(8).toString("hex")}`;
  const filter = group === undefined ? topic : `$share/${group}/${topic}`;
  const failed = (why: string) =>
    warn(
      `${name}: ${why}`,
      "an access list of the broker, or a limit of it",
      `allow ${prefix}/# to this user, for reading and writing`,
    );
  const arrived = nextMessage(client);
  try {
    const [granted] = await client.subscribeAsync(filter, { qos });
    if (granted === undefined || granted.qos > 2) return failed("the subscription is refused");
    if (granted.qos < qos) return failed(`the subscription is granted QoS ${granted.qos}`);
    await client.publishAsync(topic, "doctor", { qos });
  } catch (error) {
    return failed((error as Error).message);
  }
  if (await arrived) return ok(`${name}: a message came back`);
  return failed("a message was taken and did not come back");
}
