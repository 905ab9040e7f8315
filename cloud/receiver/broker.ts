import type { MqttCause } from "./mqtt.ts";

/** The broker's address without user name and password. */
export function addressOf(broker: string): string {
  const { protocol, host } = new URL(broker);
  return `${protocol}//${host}`;
}

/** A URL may carry a password, which belongs into no message. */
function withoutUser(url: string): string {
  return url.replace(/\/\/.*@/, "//");
}

/** Throws when the text is no broker's URL. */
export function checkBroker(broker: string): void {
  const protocol = URL.canParse(broker) ? new URL(broker).protocol : undefined;
  if (protocol === undefined || !["mqtt:", "mqtts:", "ws:", "wss:"].includes(protocol))
    throw new Error(
      `broker, expected mqtt://host:port (or mqtts, ws, wss), got ${withoutUser(broker)}`,
    );
}

const NETWORK_ERRORS: Record<string, string> = {
  ECONNREFUSED: "does not answer (connection refused)",
  ENOTFOUND: "has no address (host name not found)",
  EHOSTUNREACH: "cannot be reached",
  ETIMEDOUT: "does not answer (timed out)",
};

/** The cause in words, with what the operator can do about it. */
export function describe(cause: MqttCause): string {
  if (cause.kind === "internal") {
    const { message } = cause.error as Error;
    return `message not stored (${message}); the broker keeps it`;
  }
  if (cause.kind === "version") return "refuses MQTT 5 and 3.1.1";
  const error = cause.error as NodeJS.ErrnoException | undefined;
  if (!error) return "closed the connection";
  return NETWORK_ERRORS[String(error.code)] ?? error.message;
}
