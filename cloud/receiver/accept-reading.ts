import { type Bytes, fromBigEndian } from "../../protocol/bytes.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { openReading } from "../../protocol/reading.ts";
import { parseSenml } from "../../protocol/senml.ts";
import type { Device, Reading } from "../store/store.ts";
import type { AcceptContext } from "./accept-context.ts";
import { toStored, uptimeOf } from "./records.ts";
import { isRefused, judge, type Refused } from "./refusal.ts";

export interface AcceptedReading {
  kind: "reading";
  device: Device;
  reading: Reading;
  /** By a boot report that is stored already, where the pack has no time of its own. */
  date: number | undefined;
  /** True when it was stored before: receipted again, nothing else. */
  repeat: boolean;
}

/** Judges readings and commits the records of each good one. */
export function createReadingAcceptor({ crypto, store, sessionKeys, now }: AcceptContext) {
  return async function acceptReading(
    device: Device,
    message: Bytes,
  ): Promise<AcceptedReading | Refused> {
    const parsed = judge(() => parseSequencedEncrypt0(message));
    if (isRefused(parsed)) return parsed;
    const counter = fromBigEndian(parsed.sessionKid);
    const session = await sessionKeys.find(device, counter);
    if (isRefused(session)) return session;
    const records = judge(() =>
      parseSenml(openReading(crypto, session, device.thumbprint, parsed)).map(toStored),
    );
    if (isRefused(records)) return records;
    const reading: Reading = {
      device: device.kid,
      session: counter,
      sequence: parsed.sequence,
      receivedAt: now(),
      uptime: uptimeOf(records),
      records,
    };
    const stored = await store.commitReading(reading);
    const isDatable = stored && reading.uptime !== undefined;
    const date = isDatable ? await store.findDate(device.kid, counter, parsed.sequence) : undefined;
    return { kind: "reading", device, reading, date, repeat: !stored };
  };
}
