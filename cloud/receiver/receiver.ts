/** A message's whole way: accept, acknowledge, then tell everyone who waits for it. */
import { toHex } from "../../protocol/bytes.ts";
import { topicOf } from "../../protocol/topics.ts";
import { toBuffer } from "../crypto/convert.ts";
import type { AcceptedEnrol } from "../registrar/accept-enrol.ts";
import type { StoredEnrolled } from "../store/enrolment.ts";
import { createAccept, type Outcome } from "./accept.ts";
import type { AcceptContext, OwnKeys } from "./accept-context.ts";
import type { AcceptedEvent } from "./accept-event.ts";
import type { AcceptedReading } from "./accept-reading.ts";
import type { AcceptedReply } from "./accept-reply.ts";
import type { AcceptedSession } from "./accept-session.ts";
import type { MqttConnection, MqttMessage } from "./mqtt.ts";
import type { Receipts } from "./receipts.ts";
import { type Refusal, wordsOf } from "./refusal.ts";
import {
  deviceName,
  type EventRecord,
  type Measurement,
  toDated,
  toEventRecords,
  toMeasurements,
} from "./view.ts";

/** One event, to be written as one line of JSON. Never a plaintext, never key material. */
export interface LogLine {
  event: string;
  [field: string]: string | number | boolean | undefined;
}

export interface ReceiverOptions {
  context: AcceptContext;
  receipts: Receipts;
  /** What cannot be sent now is not kept: the device asks again. */
  publish: MqttConnection["publish"];
  log(line: LogLine): void;
  onMeasurement?: ((measurement: Measurement) => void) | undefined;
  /** Again, for a reading that was handed on with the time of its arrival and is dated now. */
  onDated?: ((measurement: Measurement) => void) | undefined;
  onEvent?: ((records: EventRecord[], message: Buffer) => void) | undefined;
  onMessage?: ((topic: string, payload: Buffer) => void) | undefined;
}

const UNKNOWN_COMMAND = "a reply to a command that is not in this database";

function refusalLine({ reason, messageClass, deviceKid, why }: Refusal): LogLine {
  const kid = deviceKid === undefined ? undefined : toHex(deviceKid);
  const message = why ?? wordsOf(reason);
  const isAlarm = reason === "counter-conflict" || reason === "registrar-failed";
  return {
    ...{ event: "refused", reason, class: messageClass, kid },
    ...(isAlarm ? { alarm: true } : {}),
    ...(message === undefined ? {} : { message }),
  };
}

/** Handles messages one after the other; see MqttEvents.receive for the promise. */
export function createReceiver(options: ReceiverOptions) {
  const { context, receipts, publish, log, onMeasurement, onDated, onEvent, onMessage } = options;
  let accept = createAccept(context);
  let atHand: Promise<unknown> = Promise.resolve();
  let repeats = 0;

  /** Both are rare enough for a line each. */
  function afterSigned(outcome: AcceptedSession | AcceptedEvent): void {
    const { kind, device, repeat } = outcome;
    log({ event: kind, device: deviceName(device), kid: toHex(device.kid), repeat });
    receipts.message(outcome);
  }

  function afterEvent(outcome: AcceptedEvent, message: Buffer): void {
    afterSigned(outcome);
    const { device, stored } = outcome;
    if (!stored) return;
    onEvent?.(toEventRecords(device, stored), message);
    if (!onDated) return;
    for (const reading of stored.dated) toDated(device, reading).forEach(onDated);
  }

  function afterReading(outcome: AcceptedReading, qos: number): void {
    receipts.reading(outcome, qos);
    if (outcome.repeat || !onMeasurement) return;
    toMeasurements(outcome.device, outcome.reading, outcome.date).forEach(onMeasurement);
  }

  function tellEnrolled({ to, message }: StoredEnrolled): boolean {
    const topic = topicOf(context.prefix, to, "enrolled");
    return publish(topic, toBuffer(message, "enrolled"), { qos: 2 });
  }

  function afterReply({ isReceipted, isKnown, enrolled, ...outcome }: AcceptedReply): void {
    const { device, repeat, status } = outcome;
    const sent = enrolled && tellEnrolled(enrolled);
    const next = enrolled && toHex(enrolled.to);
    const who = { device: deviceName(device), kid: toHex(device.kid) };
    const message = isKnown ? undefined : UNKNOWN_COMMAND;
    log({ event: "reply", ...who, status, repeat, next, sent, message });
    if (isReceipted) receipts.message(outcome);
  }

  function afterEnrol({ device, repeat, enrolled }: AcceptedEnrol): void {
    const sent = tellEnrolled({ to: device.kid, message: enrolled });
    log({ event: "enrol", device: deviceName(device), kid: toHex(device.kid), repeat, sent });
  }

  function afterwards(outcome: Outcome, { payload, qos }: MqttMessage): void {
    if (outcome.kind !== "refused" && outcome.repeat) repeats++;
    if (outcome.kind === "session") afterSigned(outcome);
    else if (outcome.kind === "event") afterEvent(outcome, payload);
    else if (outcome.kind === "enrol") afterEnrol(outcome);
    else if (outcome.kind === "reply") afterReply(outcome);
    else if (outcome.kind === "reading") afterReading(outcome, qos);
    else log(refusalLine(outcome));
  }

  async function take(message: MqttMessage): Promise<() => void> {
    const { topic, payload } = message;
    onMessage?.(topic, payload);
    const outcome = await accept(topic, payload);
    return () => {
      try {
        afterwards(outcome, message);
      } catch (error) {
        // The message is stored: what a listener makes of it must not cost the connection.
        log({ event: "listener-failed", message: (error as Error).message });
      }
    };
  }

  return {
    receive(message: MqttMessage): Promise<() => void> {
      const taken = take(message);
      atHand = Promise.allSettled([atHand, taken]);
      return taken;
    },
    /**
     * Judges by these keys from the next message on; resolves when none is at hand that was
     * begun with those before. The budgets against floods begin anew.
     */
    async useKeys(keys: OwnKeys): Promise<void> {
      accept = createAccept({ ...context, ...keys });
      await atHand;
    },
    /** Messages that had been stored before. */
    repeats: () => repeats,
  };
}
