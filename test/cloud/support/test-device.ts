import { fromBuffer } from "../../../cloud/crypto/convert.ts";
import { type Bytes, toHex } from "../../../protocol/bytes.ts";
import { USAGE_DECRYPT } from "../../../protocol/cose/crypto.ts";
import { parseRandomIvEncrypt0 } from "../../../protocol/cose/encrypt0.ts";
import { thumbprintOf } from "../../../protocol/kid.ts";
import { createReadingSealer } from "../../../protocol/reading.ts";
import { openReceipt, RECEIPT_KEY_INFO, type Receipt } from "../../../protocol/receipt.ts";
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

/** Bytes as they travel. */
export function wire(message: Bytes): Buffer {
  return Buffer.from(message, "latin1");
}

/** A device that speaks the protocol with real keys, without a board around it. */
export function openTestDevice() {
  const device = openDevice();
  const { crypto, key, publicKey, thumbprint, kid } = device;
  const makeSession = createSessionMaker(crypto);

  return {
    crypto,
    kid,
    thumbprint,
    kidHex: toHex(kid),
    point: publicKey,
    publicKey: toHex(publicKey),
    topic: (messageClass: MessageClass) => topicOf(PREFIX, kid, messageClass),

    openSession(cloudPublicKey: Bytes): DeviceSession {
      const recipient = {
        publicKey: cloudPublicKey,
        thumbprint: thumbprintOf(crypto, cloudPublicKey),
      };
      return makeSession({ key, thumbprint }, [recipient]);
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
