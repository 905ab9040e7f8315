import { createNodeCrypto, type NodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { NONCE_SIZE } from "../../cloud/crypto/primitives.ts";
import {
  type DeviceCrypto,
  type KeyHandle,
  USAGE_CARRIED,
  USAGE_DECRYPT,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_ENCRYPT_SEQUENCE,
  USAGE_SIGN,
  USAGE_WRAP,
} from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { checkArguments } from "./arguments.ts";
import { createCertificates } from "./certificates.ts";
import { claimDirectory, eraseDirectory } from "./directory.ts";
import { bounded, boundedCount, CARRIER_LIMIT, INPUT_LIMIT, PREFIX_LIMIT } from "./limits.ts";
import { createRecords } from "./records.ts";
import { createRing } from "./ring.ts";
import { createSequences } from "./sequence.ts";
import { createSleep, type SleepMemory } from "./sleep.ts";
import { createSlots, type SequenceState, type Slots } from "./slots.ts";
import { createStoredKeys } from "./stored-keys.ts";

/** A device's crypto module with the keys of one directory. */
export type OpenDeviceCrypto = DeviceCrypto & {
  /** Wipes every volatile key; handles name nothing afterwards. */
  close(): void;
};

/**
 * The device's crypto module over node:crypto, for machines without a C compiler
 * or mbedTLS: the same functions, slots, flags, limits and records as the C
 * module's. It does not keep secrets out of this process's memory as that does. With
 * `memory` it is that of a chip that sleeps deeply.
 */
export function openStandIn(directory: string, memory?: SleepMemory): OpenDeviceCrypto {
  const crypto = createNodeCrypto();
  const slots = createSlots();
  const release = claimDirectory(directory);
  const { forget, ...keys } = createStoredKeys(crypto, slots, directory);
  const { forgetKept, ...sleep } = createSleep(crypto, slots, memory);
  const { close: closeRing, ...ring } = createRing(directory);
  let isOpen = true;

  function forgetKeys(): void {
    for (const key of slots.clear()) crypto.destroyKey(key);
    forget();
    closeRing();
  }

  const functions: DeviceCrypto = {
    ...basics(crypto, slots),
    ...signatures(crypto, slots),
    ...agreements(crypto, slots),
    ...contents(crypto, slots),
    ...createSequences(crypto, slots),
    ...sleep,
    ...createCertificates(crypto, slots),
    ...createRecords(directory),
    ...keys,
    ...ring,
    eraseAll() {
      forgetKeys();
      forgetKept();
      eraseDirectory(directory);
    },
  };
  return {
    ...guard(functions, () => isOpen),
    close() {
      if (!isOpen) return;
      isOpen = false;
      forgetKeys();
      release();
    },
  };
}

/** The functions, each refused with "key" once the module is closed; they see checked arguments. */
function guard(functions: DeviceCrypto, isOpen: () => boolean): DeviceCrypto {
  const guarded = Object.entries(functions).map(([name, run]) => [
    name,
    (...args: unknown[]) => {
      if (!isOpen()) fail("key", "module, expected it open, got a closed one");
      checkArguments(name, args);
      return run(...args);
    },
  ]);
  return Object.fromEntries(guarded);
}

type Basics = Pick<
  DeviceCrypto,
  "generateRandom" | "hashCompute" | "generateKey" | "destroyKey" | "deriveKey"
>;

function basics(crypto: NodeCrypto, slots: Slots): Basics {
  return {
    generateRandom: (length) => crypto.generateRandom(boundedCount(length, "length", INPUT_LIMIT)),

    hashCompute: (input) => crypto.hashCompute(bounded(input, "input")),

    generateKey(usage) {
      const own = (usage & USAGE_ENCRYPT_SEQUENCE) !== 0;
      slots.requireRoom();
      const doorUsage = own ? (usage & ~USAGE_ENCRYPT_SEQUENCE) | USAGE_ENCRYPT : usage;
      const key = crypto.generateKey(doorUsage);
      if (!own) return slots.put({ key, usage, kind: "content" });
      return slots.put({ key, usage, kind: "content", sequence: startSequence(crypto) });
    },

    destroyKey(handle) {
      const { key, kind } = slots.get(handle, 0);
      if (kind === "stored") fail("key", "key, expected a volatile one, got a stored one");
      slots.remove(handle);
      crypto.destroyKey(key);
    },

    deriveKey(handle, info, usage) {
      bounded(info, "info");
      slots.requireRoom();
      const key = crypto.deriveKey(slots.get(handle, USAGE_DERIVE).key, info, usage);
      return slots.put({ key, usage, kind: "content" });
    },
  };
}

function startSequence(crypto: NodeCrypto): SequenceState {
  return { baseIv: crypto.generateRandom(NONCE_SIZE), last: 0, open: false };
}

type Signatures = Pick<DeviceCrypto, "exportPublicKey" | "signMessage" | "verifyMessage">;

function signatures(crypto: NodeCrypto, slots: Slots): Signatures {
  return {
    exportPublicKey: (handle) => crypto.exportPublicKey(slots.get(handle, 0).key),

    signMessage(handle, message) {
      bounded(message, "message");
      return crypto.signMessage(slots.get(handle, USAGE_SIGN).key, message);
    },

    verifyMessage: (publicKey, message, signature) =>
      crypto.verifyMessage(publicKey, bounded(message, "message"), signature),
  };
}

type Agreements = Pick<DeviceCrypto, "keyAgreementWrap" | "keyAgreementUnwrap">;

function agreements(crypto: NodeCrypto, slots: Slots): Agreements {
  return {
    keyAgreementWrap(publicKey, kdfContext, carried) {
      bounded(kdfContext, "KDF context");
      return crypto.keyAgreementWrap(publicKey, kdfContext, slots.get(carried, USAGE_CARRIED).key);
    },

    keyAgreementUnwrap(handle, ephemeralPublicKey, kdfContext, wrapped, usage) {
      bounded(kdfContext, "KDF context");
      slots.requireRoom();
      const own = slots.get(handle, USAGE_DERIVE).key;
      const key = crypto.keyAgreementUnwrap(own, ephemeralPublicKey, kdfContext, wrapped, usage);
      return slots.put({ key, usage, kind: "content" });
    },
  };
}

type Contents = Pick<
  DeviceCrypto,
  "aeadEncrypt" | "aeadDecrypt" | "aeadEncryptKey" | "aeadDecryptKey"
>;

function contents(crypto: NodeCrypto, slots: Slots): Contents {
  function keyOf(handle: KeyHandle, usage: number): KeyHandle {
    return slots.get(handle, usage).key;
  }

  return {
    aeadEncrypt(handle, nonce, aad, plaintext) {
      bounded(aad, "AAD");
      bounded(plaintext, "plaintext");
      return crypto.aeadEncrypt(keyOf(handle, USAGE_ENCRYPT), nonce, aad, plaintext);
    },

    aeadDecrypt(handle, nonce, aad, ciphertext) {
      bounded(aad, "AAD");
      bounded(ciphertext, "ciphertext");
      const { key, usage } = slots.get(handle, USAGE_DECRYPT);
      // The plaintext might be a carried key: aeadDecryptKey opens those.
      if ((usage & USAGE_WRAP) !== 0) fail("key", "key, expected one without WRAP, got one with");
      return crypto.aeadDecrypt(key, nonce, aad, ciphertext);
    },

    aeadEncryptKey(handle, nonce, aad, prefix, carried) {
      bounded(aad, "AAD");
      bounded(prefix, "prefix", PREFIX_LIMIT);
      const outer = slots.get(handle, USAGE_WRAP);
      const inner = keyOf(carried, USAGE_CARRIED);
      if (outer.wrapSpent === true)
        fail("key", "key, expected a WRAP key not used yet, got a used one");
      const sealed = crypto.aeadEncryptKey(outer.key, nonce, aad, prefix, inner);
      outer.wrapSpent = true;
      return sealed;
    },

    aeadDecryptKey(handle, nonce, aad, ciphertext, prefixLength, usage) {
      bounded(aad, "AAD");
      bounded(ciphertext, "ciphertext");
      boundedCount(prefixLength, "prefix length", PREFIX_LIMIT);
      slots.requireRoom();
      const outer = keyOf(handle, USAGE_DECRYPT);
      if (ciphertext.length > CARRIER_LIMIT)
        fail("form", `ciphertext, expected at most ${CARRIER_LIMIT} bytes of prefix and key`);
      const opened = crypto.aeadDecryptKey(outer, nonce, aad, ciphertext, prefixLength, usage);
      return {
        prefix: opened.prefix,
        key: slots.put({ key: opened.key, usage, kind: "content" }),
      };
    },
  };
}
