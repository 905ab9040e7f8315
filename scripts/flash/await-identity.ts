import { type Console, ConsoleLost, ConsoleSilent, DeviceError } from "./console.ts";
import { FlashFailure } from "./failure.ts";
import type { Link } from "./link.ts";

/** Who a device is, in hexadecimal digits. */
export interface Identity {
  keyId: string;
  publicKey: string;
}

/** From the reset to the line with the key, which is made at the first start. */
const START_MS = 60_000;
/** So long after a reset the lines have come, or were missed. */
const MISSED_MS = 5000;

/** An uncompressed point of P-256. */
const POINT_LENGTH = 65;

const IDENTITY = /coseflow on \S+, device ([0-9a-f]{16})/;
const KEY = /coseflow device register --key ([0-9a-f]{130})/;
const REFUSED = /(?:coseflow cannot start: |safe mode \()(.*)/;
/** The state of a board that waits for a network. */
const SETUP = "setup";
const UNSET = /(setup: no Wi-Fi)/;
const TOLD = new RegExp(`${IDENTITY.source}|${KEY.source}|${REFUSED.source}|${UNSET.source}`);

/**
 * What the lines say, asked for: where they were missed, or noise has touched them. A board
 * in safe mode opens no key, and has none to tell.
 */
const QUESTION =
  '(function(s,c){return s.kid?[s.kid,E.toUint8Array(c.exportPublicKey(c.openDeviceKey()))]:[s.state]})(status(),require("devcrypto"))';

/**
 * Waits for the lines by which a device says who it is. `keyIdOf` is the key id of a
 * public key: a key that does not belong to its id has changed on the line. undefined for a board
 * that waits for a network in setup: it opens no key there.
 */
export async function awaitIdentity(
  link: Link,
  keyIdOf: (publicKey: string) => string | Promise<string>,
  startMs = START_MS,
): Promise<Identity | undefined> {
  const until = Date.now() + startMs;
  const isSound = async (identity: Identity) =>
    (await keyIdOf(identity.publicKey)) === identity.keyId;
  let keyId = "";
  while (Date.now() < until) {
    const console = await link.console();
    const found = await console.line(TOLD, Math.min(MISSED_MS, until - Date.now()));
    if (found === undefined) {
      const asked = console.isLost ? undefined : await ask(console);
      if (asked === SETUP) return undefined;
      if (asked !== undefined && (await isSound(asked))) return asked;
      continue;
    }
    const [, id, publicKey = "", reason, unset] = found;
    if (unset !== undefined) return undefined;
    if (reason !== undefined) throw refusal(reason);
    keyId = id ?? keyId;
    if (publicKey !== "" && (await isSound({ keyId, publicKey }))) return { keyId, publicKey };
  }
  throw new FlashFailure(
    "start",
    "everything is written, but the board has not said who it is",
    "press RESET, then look at it: coseflow monitor",
  );
}

const toHex = (bytes: number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function ask(console: Console): Promise<Identity | typeof SETUP | undefined> {
  try {
    const [keyId, bytes] = (await console.ask(QUESTION)) as [string?, number[]?];
    if (keyId === SETUP) return SETUP;
    if (keyId === undefined || bytes?.length !== POINT_LENGTH) return undefined;
    return { keyId, publicKey: toHex(bytes) };
  } catch (error) {
    // Not that far yet, or gone again: the lines may still come.
    const passing = [DeviceError, ConsoleSilent, ConsoleLost];
    if (passing.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}

function refusal(reason: string): FlashFailure {
  const words = reason.replace(/[^ -~]/g, "?").replace(/\): restart.*$/, "");
  return new FlashFailure(
    "start",
    `everything is written, but the board does not start: ${words}`,
    "correct what it names, and run it again",
  );
}
