import { readCertificate } from "../../../cloud/ca/certificate.ts";
import { fromBuffer } from "../../../cloud/crypto/convert.ts";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import { USAGE_DECRYPT } from "../../../protocol/cose/crypto.ts";
import type { Recipient } from "../../../protocol/cose/encrypt.ts";
import { parseRandomIvEncrypt0 } from "../../../protocol/cose/encrypt0.ts";
import type { Signed } from "../../../protocol/cose/sign1.ts";
import { createEnrolMaker, type Enrolment } from "../../../protocol/enrol-message.ts";
import { createEnrolledOpener, type Enrolled } from "../../../protocol/enrolled-message.ts";
import { createEventMaker } from "../../../protocol/event-message.ts";
import { thumbprintOf } from "../../../protocol/kid.ts";
import { createReadingSealer } from "../../../protocol/reading.ts";
import { openReceipt, RECEIPT_KEY_INFO, type Receipt } from "../../../protocol/receipt.ts";
import { createReplyMaker, type Reply } from "../../../protocol/reply-message.ts";
import { createSenmlMaker } from "../../../protocol/senml.ts";
import { createSessionMaker, type DeviceSession } from "../../../protocol/session-message.ts";
import { type MessageClass, topicOf } from "../../../protocol/topics.ts";
import { openDevice } from "../../support/parties.ts";

export const PREFIX = "cf/1";

const makeCelsius = createSenmlMaker([{ name: "temperature", unit: "Cel", exponent: -2 }]);

/** A pack of one temperature without a time: it carries an uptime of 5 s. */
export function celsius(hundredths: number): Bytes {
  return makeCelsius([hundredths], { time: undefined, uptime: 5 }, 0);
}

/** A pack of one record that says that a door is open, with neither time nor uptime. */
export const DOOR_OPEN = "\x81\xa2\x00\x64door\x04\xf5" as Bytes;

/** Bytes as they travel. */
export function wire(message: Bytes): Buffer {
  return Buffer.from(message, "latin1");
}

const SHED = "shed" as Bytes;
const ANN = "ann" as Bytes;

type EnrolChange = Partial<Enrolment> & { counter?: number };

/** A device that speaks the protocol with real keys, without a board around it. */
export function openTestDevice() {
  const device = openDevice();
  const { crypto, key, publicKey, thumbprint, kid } = device;
  const makeSession = createSessionMaker(crypto);
  const makeEvent = createEventMaker(crypto);
  const makeEnrol = createEnrolMaker(crypto);
  const makeReply = createReplyMaker(crypto);

  function recipientOf(publicKey: Bytes): Recipient {
    return { publicKey, thumbprint: thumbprintOf(crypto, publicKey) };
  }

  return {
    crypto,
    kid,
    thumbprint,
    kidHex: toHex(kid),
    point: publicKey,
    publicKey: toHex(publicKey),
    topic: (messageClass: MessageClass) => topicOf(PREFIX, kid, messageClass),

    openSession(cloudPublicKey: Bytes): DeviceSession {
      const counter = crypto.nextDeviceCounter();
      return makeSession({ key, thumbprint }, [recipientOf(cloudPublicKey)], counter);
    },

    /** An event under the next device counter, or under another one. */
    makeEvent(cloudPublicKey: Bytes, pack = DOOR_OPEN, counter?: number): Signed {
      const number = counter ?? crypto.nextDeviceCounter();
      return makeEvent({ key, thumbprint }, [recipientOf(cloudPublicKey)], number, pack);
    },

    /** An enrol message under the next device counter: of "shed" for "ann", unless changed. */
    makeEnrol(cloudPublicKey: Bytes, change: EnrolChange = {}): Signed {
      const { counter = crypto.nextDeviceCounter(), ...words } = change;
      const enrolment = {
        csr: crypto.writeCsr(key),
        deviceId: SHED,
        userId: ANN,
        claim: undefined,
      };
      const recipients = [recipientOf(cloudPublicKey)];
      return makeEnrol({ key, thumbprint }, recipients, counter, { ...enrolment, ...words });
    },

    /** As the device does: under the registrar's certificate that rode along. */
    openEnrolled(message: Bytes): Enrolled {
      const opener = createEnrolledOpener(crypto);
      const sign1 = opener.parse(message);
      const { role, publicKey: signer } = readCertificate(sign1.leaf as Bytes);
      if (role !== "registrar") throw new Error(`leaf, expected the registrar's, got ${role}`);
      return opener.open(sign1, { key, thumbprint }, signer);
    },

    makeReply(cloudPublicKey: Bytes, reply: Reply, counter?: number): Signed {
      const number = counter ?? crypto.nextDeviceCounter();
      return makeReply({ key, thumbprint }, [recipientOf(cloudPublicKey)], number, reply);
    },

    /** The next reading of the session. */
    seal(session: DeviceSession, payload: Bytes): Bytes {
      const sequence = crypto.reserveSequence(session.key);
      return createReadingSealer(crypto, session, thumbprint)(sequence, payload);
    },

    openReceipt(session: DeviceSession, message: Buffer): Receipt {
      const receiptKey = crypto.deriveKey(session.key, RECEIPT_KEY_INFO, USAGE_DECRYPT);
      try {
        const parsed = parseRandomIvEncrypt0(fromBuffer(message));
        return openReceipt(crypto, receiptKey, thumbprint, parsed);
      } finally {
        crypto.destroyKey(receiptKey);
      }
    },

    close: device.close,
  };
}

export type TestDevice = ReturnType<typeof openTestDevice>;
