/** The stand-in's deep sleep does as the C module's on a chip does. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  type KeyHandle,
  USAGE_ENCRYPT,
  USAGE_ENCRYPT_SEQUENCE,
} from "../../../protocol/cose/crypto.ts";
import {
  createSleepMemory,
  RESET_DEEPSLEEP,
  RESET_POWERON,
  type SleepMemory,
} from "../../../simulator/devcrypto/sleep.ts";
import { SLOTS } from "../../../simulator/devcrypto/slots.ts";
import { type OpenDeviceCrypto, openStandIn } from "../../../simulator/devcrypto/stand-in.ts";
import { codeOf } from "../../cloud/crypto/support.ts";
import { temporaryDirectory } from "../../support/built.ts";

const text = "text" as Bytes;
let directory: string;
let remove: () => Promise<void>;
let memory: SleepMemory;
let crypto: OpenDeviceCrypto;

beforeEach(async () => {
  [directory, remove] = await temporaryDirectory("sleep");
  memory = createSleepMemory();
  crypto = openStandIn(directory, memory);
});
afterEach(async () => {
  crypto.close();
  await remove();
});

/** A reset, which was a wake from deep sleep or was not. */
function reset(woke: boolean): void {
  crypto.close();
  memory.resetReason = woke ? RESET_DEEPSLEEP : RESET_POWERON;
  crypto = openStandIn(directory, memory);
}

function keep(): Bytes {
  const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE);
  const baseIv = crypto.exportBaseIv(key);
  crypto.aeadEncryptSequence(key, crypto.reserveSequence(key), text, text);
  crypto.keepSession(key);
  expect(codeOf(() => crypto.reserveSequence(key))).toBe("key");
  return baseIv;
}

it("a key goes on after a wake, with its Base IV and the next number", () => {
  const baseIv = keep();
  reset(true);
  const key = crypto.resumeSession() as KeyHandle;
  expect(crypto.exportBaseIv(key)).toBe(baseIv);
  // Number 1 was used before the sleep.
  expect(codeOf(() => crypto.aeadEncryptSequence(key, 1, text, text))).toBe("sequence");
  expect(crypto.reserveSequence(key)).toBe(2);
  expect(crypto.aeadEncryptSequence(key, 2, text, text)).toHaveLength(text.length + 16);
});

it("a key comes back once, and not after another reset", () => {
  keep();
  reset(true);
  expect(crypto.resumeSession()).toBeDefined();
  expect(crypto.resumeSession()).toBeUndefined();
  reset(true);
  expect(crypto.resumeSession()).toBeUndefined();
  keep();
  reset(false);
  expect(crypto.resumeSession()).toBeUndefined();
  reset(true);
  expect(crypto.resumeSession()).toBeUndefined();
});

it("a number that was reserved is given up", () => {
  const key = crypto.generateKey(USAGE_ENCRYPT_SEQUENCE);
  expect(crypto.reserveSequence(key)).toBe(1);
  crypto.keepSession(key);
  reset(true);
  const kept = crypto.resumeSession() as KeyHandle;
  expect(codeOf(() => crypto.aeadEncryptSequence(kept, 1, text, text))).toBe("sequence");
  expect(crypto.reserveSequence(kept)).toBe(2);
});

it("the last key kept takes the place of one before, other keys are refused", () => {
  keep();
  const baseIv = keep();
  expect(codeOf(() => crypto.keepSession(crypto.generateKey(USAGE_ENCRYPT)))).toBe("key");
  reset(true);
  expect(crypto.exportBaseIv(crypto.resumeSession() as KeyHandle)).toBe(baseIv);
});

it("a key stays kept while there is no slot for it", () => {
  keep();
  reset(true);
  const taken = Array.from({ length: SLOTS }, () => crypto.generateKey(USAGE_ENCRYPT));
  expect(codeOf(() => crypto.resumeSession())).toBe("key");
  crypto.destroyKey(taken[0] as KeyHandle);
  expect(crypto.resumeSession()).toBeDefined();
});

it("eraseAll leaves nothing that a wake could find", () => {
  keep();
  crypto.eraseAll();
  reset(true);
  expect(crypto.resumeSession()).toBeUndefined();
});

it("tells the reason of each reset", () => {
  expect(crypto.resetReason()).toBe(RESET_POWERON);
  reset(true);
  expect(crypto.resetReason()).toBe(RESET_DEEPSLEEP);
});
