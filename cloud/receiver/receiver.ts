/** A message's whole way: accept, acknowledge, then tell everyone who waits for it. */
import { toHex } from "../../protocol/bytes.ts";
import { createAccept, type Outcome } from "./accept.ts";
import type { AcceptContext } from "./accept-context.ts";
import type { AcceptedReading } from "./accept-reading.ts";
import type { AcceptedSession } from "./accept-session.ts";
import type { MqttMessage } from "./mqtt.ts";
import type { Receipts } from "./receipts.ts";
import type { Refusal } from "./refusal.ts";
import { deviceName, type Measurement, toMeasurements } from "./view.ts";

/** One event, to be written as one line of JSON. Never a plaintext, never key material. */
export interface LogLine {
  event: string;
  [field: string]: string | number | boolean | undefined;
}

export interface ReceiverOptions {
  context: AcceptContext;
  receipts: Receipts;
  log(line: LogLine): void;
  onMeasurement?: ((measurement: Measurement) => void) | undefined;
  onMessage?: ((topic: string, payload: Buffer) => void) | undefined;
}

function refusalLine({ reason, messageClass, deviceKid }: Refusal): LogLine {
  const kid = deviceKid === undefined ? undefined : toHex(deviceKid);
  return {
    event: "refused",
    reason,
    class: messageClass,
    kid,
    ...(reason === "counter-conflict"
      ? { alarm: true, message: "two messages with one counter: a cloned device or restored flash" }
      : {}),
  };
}

/** Handles messages one after the other; see MqttEvents.receive for the promise. */
export function createReceiver(options: ReceiverOptions) {
  const { context, receipts, log, onMeasurement, onMessage } = options;
  const accept = createAccept(context);
  let repeats = 0;

  function afterSession(outcome: AcceptedSession): void {
    const { device, repeat } = outcome;
    log({ event: "session", device: deviceName(device), kid: toHex(device.kid), repeat });
    receipts.session(outcome);
  }

  function afterReading(outcome: AcceptedReading, qos: number): void {
    receipts.reading(outcome, qos);
    if (outcome.repeat || !onMeasurement) return;
    toMeasurements(outcome.device, outcome.reading).forEach(onMeasurement);
  }

  function afterwards(outcome: Outcome, qos: number): void {
    if (outcome.kind !== "refused" && outcome.repeat) repeats++;
    if (outcome.kind === "session") afterSession(outcome);
    else if (outcome.kind === "reading") afterReading(outcome, qos);
    else log(refusalLine(outcome));
  }

  return {
    async receive({ topic, payload, qos }: MqttMessage): Promise<() => void> {
      onMessage?.(topic, payload);
      const outcome = await accept(topic, payload);
      return () => {
        try {
          afterwards(outcome, qos);
        } catch (error) {
          // The message is stored: what a listener makes of it must not cost the connection.
          log({ event: "listener-failed", message: (error as Error).message });
        }
      };
    },
    /** Messages that had been stored before. */
    repeats: () => repeats,
  };
}
