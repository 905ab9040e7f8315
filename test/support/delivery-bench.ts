import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { createDelivery, type Delivery } from "../../firmware/delivery.ts";
import { AWAIT_PUBREC } from "../../firmware/mqtt/inflight.ts";
import type { Kept } from "../../firmware/mqtt/options.ts";
import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
import { type DeviceCrypto, USAGE_DERIVE, USAGE_ENCRYPT } from "../../protocol/cose/crypto.ts";
import { parseSequencedEncrypt0 } from "../../protocol/cose/encrypt0.ts";
import { hashSign1, MESSAGE_HASH_LENGTH, parseSign1 } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { thumbprintOf } from "../../protocol/kid.ts";
import { openReading } from "../../protocol/reading.ts";
import { RECEIPT_KEY_INFO, type ReceiptRange, sealReceipt } from "../../protocol/receipt.ts";
import { createSessionOpener, type OpenedSession } from "../../protocol/session-message.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";

const { externalAad } = createStructures();

export interface Sent {
  messageClass: MessageClass;
  message: Bytes;
  qos: number;
  /** Plays the broker's acknowledgement. */
  acknowledge: () => void;
  /** What MQTT notes in the message's record, where it has one. */
  kept: Kept | undefined;
}

export interface DeliveryBench {
  delivery: Delivery;
  clock: ManualClock;
  log: string[];
  /** What went to MQTT and was not taken yet by `take`. */
  sent: Sent[];
  take(): Sent;
  /** Gives the device a receipt; MQTT is ready for more afterwards. */
  deliver(receipt: Bytes): void;
  /** What was in flight at a power cut and is given to MQTT again. */
  handedBack: { messageClass: MessageClass; message: Bytes; packetId: number; phase: number }[];
  /** Whether MQTT takes messages. */
  online: { value: boolean };
  /** The cloud's side: opens a session message with real cryptography. */
  openSession(message: Bytes): OpenedSession;
  payloadOf(session: OpenedSession, message: Bytes): Bytes;
  /** The message hash that a receipt of a session message lists. */
  hashOf(message: Bytes): Bytes;
  receipt(session: OpenedSession, time: number, messages: Bytes[], readings: ReceiptRange[]): Bytes;
}

/** Delivery over real cryptography on both ends, with a clock and an MQTT that the test plays. */
export function createDeliveryBench(
  crypto: DeviceCrypto,
  options: {
    queueLimit?: number;
    flash?: number;
    spillSeconds?: number;
    receiptSeconds?: number;
  } = {},
): DeliveryBench {
  const cloud = createNodeCrypto();
  const pem = TEST_CLOUD_KEY;
  const cloudKey = cloud.importPrivateKey(pem, USAGE_DERIVE);
  const cloudPublicKey = cloud.exportPublicKey(cloudKey);
  const cloudThumbprint = thumbprintOf(cloud, cloudPublicKey);
  const key = crypto.openDeviceKey();
  const publicKey = crypto.exportPublicKey(key);
  const thumbprint = thumbprintOf(crypto, publicKey);
  const open = createSessionOpener(cloud);
  const clock = createManualClock();
  const sent: Sent[] = [];
  const log: string[] = [];
  const online = { value: true };
  const handedBack: DeliveryBench["handedBack"] = [];
  const delivery = createDelivery({
    crypto,
    identity: { key, thumbprint, id: "device" },
    recipients: [{ publicKey: cloudPublicKey, thumbprint: cloudThumbprint }],
    clock,
    log: (line) => log.push(line),
    publish: (messageClass, message, qos, done, kept) => {
      const resumed = kept !== undefined && kept.phase !== 0;
      if (resumed) {
        handedBack.push({ messageClass, message, packetId: kept.packetId, phase: kept.phase });
        sent.push({ messageClass, message, qos, acknowledge: done, kept });
        return true;
      }
      if (!online.value) return false;
      kept?.keep(AWAIT_PUBREC);
      sent.push({ messageClass, message, qos, acknowledge: done, kept });
      return true;
    },
    queue: {
      readings: options.queueLimit ?? 8,
      flash: options.flash ?? 0,
      spillSeconds: options.spillSeconds ?? 60,
    },
    losses: { readings: 0, told: 0, events: 0, kept: 0 },
    receiptSeconds: options.receiptSeconds ?? 0,
    rekeySeconds: 0,
    onSession: () => {},
    onUnheard: () => {},
  });

  return {
    delivery,
    clock,
    log,
    sent,
    online,
    handedBack,
    take() {
      const first = sent.shift();
      if (!first) throw new Error("a message to MQTT, expected one, got none");
      return first;
    },
    deliver(receipt) {
      delivery.receipt(receipt);
      delivery.pump();
    },
    openSession: (message) =>
      open(
        parseSign1(message),
        { publicKey, thumbprint },
        {
          key: cloudKey,
          thumbprint: cloudThumbprint,
        },
      ),
    payloadOf: (session, message) =>
      openReading(cloud, session, thumbprint, parseSequencedEncrypt0(message)),
    hashOf: (message) =>
      hashSign1(cloud, parseSign1(message), externalAad("session", thumbprint)).substring(
        0,
        MESSAGE_HASH_LENGTH,
      ) as Bytes,
    receipt(session, time, messages, readings) {
      const receiptKey = cloud.deriveKey(session.key, RECEIPT_KEY_INFO, USAGE_ENCRYPT);
      return sealReceipt(cloud, receiptKey, toBigEndian(session.counter), thumbprint, {
        time,
        messages,
        readings,
      });
    },
  };
}

/** TEST KEY, P-256, of no use outside these tests. */
const TEST_CLOUD_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqbvDvPIYGYSkA6A/
jr1hQRC1ZKOAnmCpRazdZlVcNyyhRANCAAQ9mLcCcfvdfbnsVparv0TTDXb5U1mU
ubdhap97jQaoVu/ttdY9hQr7U/HWLG+Y6X1O2awUdH10ErBOzcocw6qS
-----END PRIVATE KEY-----`;
