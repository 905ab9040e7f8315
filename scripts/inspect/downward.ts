/** Judges what registrar and provisioner sign for one device: `enrolled` and `command`. */
import type { Device } from "../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import {
  type Command,
  createCommandReader,
  FORM_PLAIN,
  FORM_SIGNED,
} from "../../protocol/command-content.ts";
import { createCommandOpener } from "../../protocol/command-message.ts";
import { checkContentHeader } from "../../protocol/cose/content-header.ts";
import {
  EPHEMERAL_START,
  EPHEMERAL_Y,
  RECIPIENT_START,
  WRAPPED_LENGTH,
} from "../../protocol/cose/encrypt.ts";
import { createHeaders } from "../../protocol/cose/encrypt0.ts";
import { hashSign1, verifySign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { createDownwardOpener, type DownwardSign1 } from "../../protocol/downward.ts";
import { KID_LENGTH } from "../../protocol/kid.ts";
import type { SignerRole } from "./authority.ts";
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
import { nameOf, textOfBytes, timeText } from "./names.ts";
import { findSigner } from "./signer.ts";
import type { Judge } from "./subject.ts";

/**
 * Key id of the one device that an Encrypt is sealed to. protocol/ takes such an Encrypt
 * apart only to open it, which nobody here can.
 */
export function readSealedTo(encrypt: Bytes): Bytes {
  const reader = createReader(encrypt);
  reader.exactly("\xd8\x60\x84", "COSE_Encrypt");
  const protectedHeader = reader.bytes();
  createHeaders().readIv(reader);
  reader.bytes();
  reader.exactly(`\x81${RECIPIENT_START}`, "COSE_recipient");
  const kid = reader.bytesOf(KID_LENGTH);
  reader.exactly(EPHEMERAL_START, "ephemeral key");
  reader.bytesOf(32);
  reader.exactly(EPHEMERAL_Y, "ephemeral key");
  reader.bytesOf(32);
  reader.bytesOf(WRAPPED_LENGTH);
  reader.end();
  checkContentHeader(protectedHeader);
  return kid;
}

/** A signed message to a device, taken apart. */
interface Downward {
  messageClass: "enrolled" | "command";
  /** Who may sign it. */
  role: SignerRole;
  sign1: DownwardSign1;
  /** Key id of the device that it is sealed to; undefined where all can read it. */
  sealedTo: Bytes | undefined;
  /** What all can read; `hash` names the message, where its device is known. */
  readable(hash: Bytes | undefined): Content | undefined;
}

const NO_DEVICE =
  "needs the device that it is for (--topic or --device-key) and its public key (--device-key or --db)";

function judgeRecipient(
  topicKid: Bytes | undefined,
  sealedTo: Bytes | undefined,
  device: Device | undefined,
): Layer[] {
  if (sealedTo === undefined) return [];
  if (topicKid !== undefined && topicKid !== sealedTo) {
    const text = `recipient, expected the topic's ${toHex(topicKid)}, got ${toHex(sealedTo)}`;
    return [fails("recipient", "kid", text)];
  }
  return [
    holds("recipient", device ? nameOf(device) : `${toHex(sealedTo)}, a device unknown here`),
  ];
}

function judgeContent(sealedTo: Bytes | undefined, signature: Layer): Layer {
  if (sealedTo !== undefined) return lacks("content", "sealed to the device, which alone opens it");
  if (signature.verdict === "fail")
    return lacks("content", "not shown: the signature does not verify");
  return holds("content", "not sealed, see below");
}

function judgeDownward({ messageClass, role, sign1, sealedTo, readable }: Downward): Judge {
  return async function judgeSignedDownward({ topicKid }, evidence): Promise<Judgement> {
    const { crypto, given } = evidence;
    const kid = topicKid ?? sealedTo ?? given?.kid;
    const device = kid === undefined ? undefined : await evidence.findDevice(kid);
    const aad = device && createStructures().externalAad(messageClass, device.thumbprint);
    const { layers, publicKey } = findSigner(evidence, role, sign1);

    function judgeSignature(): Layer {
      if (publicKey === undefined) return lacks("signature", `needs the ${role}'s public key`);
      if (device === undefined || aad === undefined) return lacks("signature", NO_DEVICE);
      const verified = attempt("signature", () => verifySign1(crypto, sign1, publicKey, aad));
      if ("failed" in verified) return verified.failed;
      return holds("signature", `of that ${role}, for ${nameOf(device)} and class ${messageClass}`);
    }

    const signature = judgeSignature();
    const layer = judgeContent(sealedTo, signature);
    const content =
      layer.verdict === "ok" ? readable(aad && hashSign1(crypto, sign1, aad)) : undefined;
    return {
      layers: [...layers, signature, ...judgeRecipient(topicKid, sealedTo, device), layer],
      ...(content === undefined ? {} : { content }),
    };
  };
}

export function inspectEnrolled({ crypto }: Evidence, message: Bytes): Judge {
  const sign1 = createDownwardOpener(crypto, "enrolled").parse(message);
  const sealedTo = readSealedTo(sign1.payload);
  const readable = () => undefined;
  return judgeDownward({ messageClass: "enrolled", role: "registrar", sign1, sealedTo, readable });
}

/** Of a command that is not sealed: a request without a claim, as the reader sees to. */
function commandView(form: string, command: Command, hash: Bytes | undefined): Content {
  return {
    form,
    action: "request",
    counter: command.counter,
    issued: timeText(command.issued),
    expires: timeText(command.expires),
    deviceId: textOfBytes(command.deviceId),
    userId: textOfBytes(command.userId),
    ...(hash === undefined ? {} : { hash: toHex(hash) }),
  };
}

const ANYBODY = "none: a plain command, which whoever reaches the broker can make";

export function inspectCommand({ crypto }: Evidence, message: Bytes): Judge {
  const { form, leaf, sign1 } = createCommandOpener(crypto).parse(message);
  const read = createCommandReader();
  if (sign1 === undefined) {
    const content = commandView("plain", read(message, FORM_PLAIN), crypto.hashCompute(message));
    const layers = [lacks("signature", ANYBODY), holds("content", "not sealed, see below")];
    return async () => ({ layers, content });
  }
  const parsed = { ...sign1, leaf };
  const common = { messageClass: "command", role: "provisioner", sign1: parsed } as const;
  if (form !== FORM_SIGNED)
    return judgeDownward({
      ...common,
      sealedTo: readSealedTo(sign1.payload),
      readable: () => undefined,
    });
  const command = read(sign1.payload, FORM_SIGNED);
  return judgeDownward({
    ...common,
    sealedTo: undefined,
    readable: (hash) => commandView("signed", command, hash),
  });
}
