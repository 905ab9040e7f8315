/** Judges what is sealed under a session's keys: readings and receipts. */
import { toStored } from "../../cloud/receiver/records.ts";
import { type Bytes, fromBigEndian, toHex } from "../../protocol/bytes.ts";
import { USAGE_DECRYPT } from "../../protocol/cose/crypto.ts";
import { parseRandomIvEncrypt0, parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { openReading } from "../../protocol/reading.ts";
import { openReceipt, RECEIPT_KEY_INFO } from "../../protocol/receipt.ts";
import { parseSenml } from "../../protocol/senml.ts";
import type { Evidence } from "./evidence.ts";
import { attempt, type Content, holds, type Judgement, type Layer, lacks } from "./layers.ts";
import { recordView, timeText } from "./names.ts";
import { type FoundSession, findSessionOf } from "./session-of.ts";
import type { Judge } from "./subject.ts";

const NO_SESSION_KEY = "needs the session key";

function judgeSequence(
  { database }: Evidence,
  found: FoundSession | undefined,
  sequence: number,
): Layer {
  const shown = `sequence number ${sequence}`;
  if (database === undefined || found === undefined)
    return lacks("sequence", `${shown}; whether it is stored, an opened reading says`);
  const { kid } = found.device;
  const { counter } = found.session;
  const storedAt = database.readingStoredAt(kid, counter, sequence);
  if (storedAt !== undefined)
    return holds("sequence", `${shown}, stored ${timeText(storedAt)}: again it is a replay`);
  const last = database.lastSequence(kid, counter);
  return holds("sequence", `${shown}, not stored yet; the highest stored is ${last}`);
}

/** What a message of a session comes to; `found` is the session that opened it. */
async function judgeSealed(
  evidence: Evidence,
  topicKid: Bytes | undefined,
  counter: number,
  open: (found: FoundSession) => Content,
): Promise<Judgement & { found?: FoundSession }> {
  const opens = (found: FoundSession) => "value" in attempt("content", () => open(found));
  const { layers, found } = await findSessionOf(evidence, topicKid, counter, opens);
  if (found === undefined) return { layers: [...layers, lacks("content", NO_SESSION_KEY)] };
  const opened = attempt("content", () => open(found));
  if ("failed" in opened) return { layers: [...layers, opened.failed] };
  const content = holds("content", "opened, see below");
  return { layers: [...layers, content], content: opened.value, found };
}

export function inspectReading({ crypto }: Evidence, message: Bytes): Judge {
  const parsed = parseSequencedEncrypt0(message);
  const counter = fromBigEndian(parsed.sessionKid);

  function open({ device, session }: FoundSession): Content {
    const pack = openReading(crypto, session, device.thumbprint, parsed);
    const records = parseSenml(pack).map((record) => recordView(toStored(record)));
    return { session: counter, sequence: parsed.sequence, records };
  }

  return async function judgeReading({ topicKid }, evidence) {
    const { layers, found, ...rest } = await judgeSealed(evidence, topicKid, counter, open);
    return { layers: [...layers, judgeSequence(evidence, found, parsed.sequence)], ...rest };
  };
}

export function inspectReceipt({ crypto }: Evidence, message: Bytes): Judge {
  const parsed = parseRandomIvEncrypt0(message);
  const counter = fromBigEndian(parsed.sessionKid);

  function open({ device, session }: FoundSession): Content {
    const key = crypto.deriveKey(session.key, RECEIPT_KEY_INFO, USAGE_DECRYPT);
    try {
      const receipt = openReceipt(crypto, key, device.thumbprint, parsed);
      return {
        time: timeText(receipt.time),
        messages: receipt.messages.map(toHex),
        readings: receipt.readings.map(({ sessionKid, first, last }) => ({
          session: fromBigEndian(sessionKid),
          first,
          last,
        })),
      };
    } finally {
      crypto.destroyKey(key);
    }
  }

  return async function judgeReceipt({ topicKid }, evidence) {
    const { layers, content } = await judgeSealed(evidence, topicKid, counter, open);
    return { layers, ...(content === undefined ? {} : { content }) };
  };
}
