/** Judges `enrol`: the key that signs it stands in the CSR, and so in the ciphertext. */
import { readRequest } from "../../cloud/ca/request.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { checkContentHeader } from "../../protocol/cose/content-header.ts";
import { createEncryptOpener } from "../../protocol/cose/encrypt.ts";
import type { Sign1 } from "../../protocol/cose/sign1.ts";
import { createEnrolOpener, type OpenedEnrol } from "../../protocol/enrol-message.ts";
import { kidOf } from "../../protocol/kid.ts";
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
import { nameOf, secretText, textOfBytes } from "./names.ts";
import { judgeCounter, judgeRecipient, NO_CLOUD_KEY, ownKeyOf } from "./signed.ts";
import type { Judge } from "./subject.ts";

function enrolView({ counter, csr, deviceId, userId, claim }: OpenedEnrol): Content {
  return {
    counter,
    csr: `${csr.length} bytes, signed by its own key`,
    deviceId: textOfBytes(deviceId),
    userId: textOfBytes(userId),
    claim: claim === undefined ? "none" : secretText(claim.length),
  };
}

async function judgeKeyId({ kid }: Sign1, topicKid: Bytes | undefined, evidence: Evidence) {
  const own = kidOf(kid);
  if (topicKid !== undefined && topicKid !== own) {
    const text = `key id of Sign1, expected a thumbprint that begins with the topic's ${toHex(topicKid)}, got ${toHex(kid)}`;
    return fails("key id", "kid", text);
  }
  const device = await evidence.findDevice(own);
  return holds("key id", device ? nameOf(device) : `${toHex(own)}, a device unknown here`);
}

interface Opened {
  signature: Layer;
  content: Layer;
  enrolment?: OpenedEnrol;
}

/** The CSR's key is needed for the signature, so the order here is the registrar's: open, then verify. */
function openEnrol({ crypto, self, older }: Evidence, sign1: Sign1): Opened {
  if (self === undefined)
    return {
      signature: lacks("signature", `the key is in the CSR; ${NO_CLOUD_KEY}`),
      content: lacks("content", NO_CLOUD_KEY),
    };
  let csrRead = false;
  const { open } = createEnrolOpener(crypto, (csr) => {
    const publicKey = readRequest(csr);
    csrRead = true;
    return publicKey;
  });
  const own = ownKeyOf(createEncryptOpener(crypto).parse(sign1.payload), [self, ...older]) ?? self;
  const opened = attempt("content", () => open(sign1, kidOf(sign1.kid), own));
  if ("value" in opened)
    return {
      signature: holds("signature", "of the key in its CSR, for class enrol"),
      content: holds("content", "opened, see below"),
      enrolment: opened.value,
    };
  const { failed } = opened;
  if (csrRead && failed.code === "signature")
    return {
      signature: { ...failed, layer: "signature" },
      content: lacks("content", "not shown: the signature does not verify"),
    };
  return { signature: lacks("signature", "the key is in the CSR"), content: failed };
}

export function inspectEnrol({ crypto }: Evidence, message: Bytes): Judge {
  const { parse } = createEnrolOpener(crypto, readRequest);
  const sign1 = parse(message);
  const encrypt = createEncryptOpener(crypto).parse(sign1.payload);
  checkContentHeader(encrypt.protectedHeader);

  return async function judgeEnrol({ topicKid }, evidence): Promise<Judgement> {
    const { signature, content, enrolment } = openEnrol(evidence, sign1);
    return {
      layers: [
        await judgeKeyId(sign1, topicKid, evidence),
        signature,
        judgeRecipient(encrypt, evidence),
        content,
        judgeCounter(evidence, kidOf(sign1.kid), enrolment?.counter, enrolment?.hash),
      ],
      ...(enrolment === undefined ? {} : { content: enrolView(enrolment) }),
    };
  };
}
