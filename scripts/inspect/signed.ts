/** Judges what a device signs: Sign1 of Encrypt, for the cloud. */
import type { Device } from "../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import type { KeyHandle } from "../../protocol/cose/crypto.ts";
import { createEncryptOpener, type Encrypt } from "../../protocol/cose/encrypt.ts";
import { hashSign1, parseSign1, type Sign1, verifySign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import type { Evidence } from "./evidence.ts";
import {
  attempt,
  type Content,
  fails,
  holds,
  type Judgement,
  type Layer,
  lacks,
} from "./layers.ts";
import { nameOf } from "./names.ts";
import type { Judge } from "./subject.ts";

/** What a class of signed messages adds to the others. */
export interface SignedRule {
  /** Reads the protected header of the content; gives the device counter where that is in it. */
  readHeader(protectedHeader: Bytes): number | undefined;
  /** Verifies and opens, and destroys every key in it. */
  open(
    evidence: Evidence,
    sign1: Sign1,
    device: Device,
    own: { key: KeyHandle; thumbprint: Bytes },
  ): { counter: number; content: Content };
}

const NO_DEVICE =
  "needs the device's public key (--device-key), or a database with the device (--db)";
export const NO_CLOUD_KEY = "needs the cloud's private key (--keys)";

function judgeKeyId(sign1: Sign1, topicKid: Bytes | undefined, device: Device | undefined): Layer {
  if (topicKid !== undefined && topicKid !== sign1.kid)
    return fails(
      "key id",
      "kid",
      `key id of Sign1, expected the topic's ${toHex(topicKid)}, got ${toHex(sign1.kid)}`,
    );
  return holds("key id", device ? nameOf(device) : `${toHex(sign1.kid)}, a device unknown here`);
}

/** Which of the cloud's keys a message is sealed to. */
export function ownKeyOf<Own extends { kid: Bytes }>(
  { recipients }: Encrypt,
  keys: readonly Own[],
): Own | undefined {
  return keys.find((own) => recipients.some(({ kid }) => kid === own.kid));
}

export function judgeRecipient(encrypt: Encrypt, { self, older }: Evidence): Layer {
  const { recipients } = encrypt;
  const list = recipients.map(({ kid }) => toHex(kid)).join(", ");
  if (self === undefined) return lacks("recipient", `${list}; ${NO_CLOUD_KEY}`);
  const own = ownKeyOf(encrypt, [self, ...older]);
  if (own === undefined)
    return fails("recipient", "kid", `recipient, expected ${toHex(self.kid)}, got ${list}`);
  const which = own === self ? "this cloud" : "an older key of this cloud";
  return holds("recipient", `${which}, ${toHex(own.kid)}, one of ${recipients.length}`);
}

export function judgeCounter(
  { database }: Evidence,
  device: Bytes,
  counter: number | undefined,
  /** Undefined for a message whose signature does not verify: it says nothing of its device. */
  hash: Bytes | undefined,
): Layer {
  if (counter === undefined) return lacks("sequence", "the device counter is in the content");
  const shown = `device counter ${counter}`;
  if (database === undefined) return lacks("sequence", `${shown}; needs the database (--db)`);
  const stored = database.hashOfCounter(device, counter);
  if (stored === undefined) return holds("sequence", `${shown}, not stored yet`);
  if (hash === undefined)
    return lacks("sequence", `${shown} is stored; whether by this message, a good signature says`);
  if (stored === hash) return holds("sequence", `${shown}, stored: again it is a repeat`);
  return fails("sequence", "counter-conflict", `${shown}, expected its message, got another`);
}

/** A class of messages that devices sign. */
export function signedClass(messageClass: MessageClass, rule: SignedRule) {
  return function inspectSigned({ crypto }: Evidence, message: Bytes): Judge {
    const sign1 = parseSign1(message);
    const encrypt = createEncryptOpener(crypto).parse(sign1.payload);
    const counter = rule.readHeader(encrypt.protectedHeader);

    function judgeSignature(device: Device | undefined): Layer {
      if (device === undefined) return lacks("signature", NO_DEVICE);
      const aad = createStructures().externalAad(messageClass, device.thumbprint);
      const verified = attempt("signature", () =>
        verifySign1(crypto, sign1, device.publicKey, aad),
      );
      if ("failed" in verified) return verified.failed;
      return holds("signature", `of ${nameOf(device)}, for class ${messageClass}`);
    }

    function openContent(evidence: Evidence, device: Device | undefined, signature: Layer) {
      const { self, older } = evidence;
      if (self === undefined) return { failed: lacks("content", NO_CLOUD_KEY) };
      if (device === undefined) return { failed: lacks("content", NO_DEVICE) };
      if (signature.verdict !== "ok")
        return { failed: lacks("content", "not opened: the signature does not verify") };
      const own = ownKeyOf(encrypt, [self, ...older]) ?? self;
      return attempt("content", () => rule.open(evidence, sign1, device, own));
    }

    return async function judgeSigned({ topicKid }, evidence): Promise<Judgement> {
      const device = await evidence.findDevice(sign1.kid);
      const signature = judgeSignature(device);
      const opened = openContent(evidence, device, signature);
      const isOpen = "value" in opened;
      const hash =
        device && signature.verdict === "ok"
          ? hashSign1(
              crypto,
              sign1,
              createStructures().externalAad(messageClass, device.thumbprint),
            )
          : undefined;
      const number = isOpen ? opened.value.counter : counter;
      return {
        layers: [
          judgeKeyId(sign1, topicKid, device),
          signature,
          judgeRecipient(encrypt, evidence),
          isOpen ? holds("content", "opened, see below") : opened.failed,
          judgeCounter(evidence, sign1.kid, number, hash),
        ],
        ...(isOpen ? { content: opened.value.content } : {}),
      };
    };
  };
}
