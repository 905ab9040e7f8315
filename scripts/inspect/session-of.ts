/** Finds the stored session of a message that names no device: a reading or a receipt. */

import { isRefused } from "../../cloud/receiver/refusal.ts";
import type { OpenSession } from "../../cloud/receiver/session-keys.ts";
import type { Device } from "../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import type { Evidence } from "./evidence.ts";
import { fails, holds, type Layer, lacks } from "./layers.ts";
import { nameOf } from "./names.ts";

export interface FoundSession {
  device: Device;
  session: OpenSession;
}

/** The layers "key id" and "session key", and the session where both hold. */
export interface SessionSearch {
  layers: Layer[];
  found?: FoundSession;
}

const NO_DATABASE = "needs the cloud's database (--db) and its keys (--keys)";

function unopened(keyId: Layer, sessionKey: Layer): SessionSearch {
  return { layers: [keyId, sessionKey] };
}

async function searchOf(
  evidence: Evidence,
  device: Device,
  counter: number,
): Promise<SessionSearch> {
  const keyId = holds("key id", `session ${counter} of ${nameOf(device)}`);
  const { sessionKeys } = evidence;
  if (sessionKeys === undefined) return unopened(keyId, lacks("session key", NO_DATABASE));
  const session = await sessionKeys.find(device, counter);
  if (!isRefused(session))
    return {
      layers: [keyId, holds("session key", "in the database")],
      found: { device, session },
    };
  if (session.refused === "session-unknown")
    return unopened(
      keyId,
      lacks("session key", `session ${counter} of ${toHex(device.kid)} is not in the database`),
    );
  const cause = "its row is damaged, or of other keys than --keys";
  return unopened(keyId, fails("session key", session.refused, `it does not open: ${cause}`));
}

/** The device is not known: the one under whose session the message opens is it. */
async function searchAll(
  evidence: Evidence,
  counter: number,
  opens: (found: FoundSession) => boolean,
): Promise<SessionSearch> {
  const { database, sessionKeys } = evidence;
  const unnamed = `session ${counter}, of a device that the message does not name`;
  if (database === undefined || sessionKeys === undefined)
    return unopened(
      lacks("key id", `${unnamed}; needs --topic or --device-key`),
      lacks("session key", NO_DATABASE),
    );
  const devices = await database.devicesWithSession(counter);
  for (const device of devices) {
    const search = await searchOf(evidence, device, counter);
    if (search.found !== undefined && opens(search.found)) return search;
  }
  return unopened(
    lacks("key id", `${unnamed}; needs --topic or --device-key`),
    lacks("session key", `of ${devices.length} devices with a session ${counter}, none opens it`),
  );
}

/**
 * The session of a message: of the device that the topic or --device-key names, or else of
 * whichever device's session opens it.
 */
export async function findSessionOf(
  evidence: Evidence,
  topicKid: Bytes | undefined,
  counter: number,
  opens: (found: FoundSession) => boolean,
): Promise<SessionSearch> {
  const kid = topicKid ?? evidence.given?.kid;
  if (kid === undefined) return searchAll(evidence, counter, opens);
  const device = await evidence.findDevice(kid);
  if (device !== undefined) return searchOf(evidence, device, counter);
  return unopened(
    holds("key id", `session ${counter} of ${toHex(kid)}, a device unknown here`),
    lacks("session key", "needs a database with the device (--db), and its keys (--keys)"),
  );
}
