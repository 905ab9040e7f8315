/**
 * Properties of the firmware's own objects, which the bundle may give short names: a
 * name of more than four characters takes a further variable in every object that has
 * it, and Espruino has 4,095. Only what is listed here is renamed, so that nothing
 * Espruino, the C module, a board file or the settings know by name can be.
 */
export const INTERNAL_PROPERTIES = [
  "bytes",
  "clientId",
  "clock",
  "createSensor",
  "crypto",
  "deviceThumbprint",
  "discard",
  "drops",
  "exponent",
  "holds",
  "identity",
  "inbound",
  "joinNetwork",
  "keepAlive",
  "lastPacketId",
  "lastSequence",
  "messageClass",
  "messages",
  "movedAt",
  "onMessage",
  "onReady",
  "openedAt",
  "outbound",
  "packetId",
  "payload",
  "protectedHeader",
  "quantities",
  "queueLimit",
  "receiptKey",
  "receipted",
  "recipients",
  "rewind",
  "seal",
  "senderThumbprint",
  "sequence",
  "sessionKid",
  "settle",
  "settledAt",
  "state",
  "subscriptions",
  "takenAt",
  "thumbprint",
  "topic",
  "topicFilter",
  "uptime",
  "waitingSince",
];

/** Matches them all and nothing else. */
export const INTERNAL_PATTERN = new RegExp(`^(?:${INTERNAL_PROPERTIES.join("|")})$`);
