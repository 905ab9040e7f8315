/** The cloud as a service, wired: keys, store, receiver, receipts and the link to the broker. */
import { type Bytes, toHex } from "../protocol/bytes.ts";
import { CLOUD_TOPIC, TOPIC_PREFIX } from "../protocol/topics.ts";
import { toBuffer } from "./crypto/convert.ts";
import { createNodeCrypto } from "./crypto/node-crypto.ts";
import { loadKek } from "./keys/cloud-keys.ts";
import { checkKek } from "./keys/key-check.ts";
import { openServiceKeys, type ServiceKeys } from "./keys/service-keys.ts";
import type { AcceptContext, OwnKeys } from "./receiver/accept-context.ts";
import { addressOf, checkBroker, describe } from "./receiver/broker.ts";
import { type Link, openLink } from "./receiver/link.ts";
import type { MqttCause } from "./receiver/mqtt.ts";
import { createReceipts } from "./receiver/receipts.ts";
import { createReceiver, type LogLine } from "./receiver/receiver.ts";
import { createSessionKeys } from "./receiver/session-keys.ts";
import type { EventRecord, Measurement } from "./receiver/view.ts";
import { parsePublicKey, registerDevice } from "./registry.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Counts } from "./store/store.ts";

export interface CloudOptions {
  /** mqtt://, mqtts://, ws:// or wss:// */
  broker: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Directory made by `coseflow ca init`. */
  keys: string;
  /** Path of the SQLite file; made if it is not there. */
  database: string;
  /** Topic prefix, where it is not the profile's own. */
  prefix?: string | undefined;
  /** MQTT client id, where it is not `cf-cloud-<kid of the cloud>`. Two of one id end each other. */
  clientId?: string | undefined;
  log?: ((line: LogLine) => void) | undefined;
  /** Every stored measurement, once. */
  onReading?: ((measurement: Measurement) => void) | undefined;
  /** Every measurement of a reading that a boot report has dated after its arrival. */
  onDated?: ((measurement: Measurement) => void) | undefined;
  /** Every stored event, once: its records, and the message as it arrived. */
  onEvent?: ((records: EventRecord[], message: Buffer) => void) | undefined;
  /** Every message as it arrives, before it is judged. */
  onMessage?: ((topic: string, payload: Buffer) => void) | undefined;
  /** How long readings are gathered into one receipt. */
  receiptDelayMs?: number | undefined;
  /** True: resolve at once and keep trying when the broker is down at the start. */
  keepTrying?: boolean | undefined;
  /** How often the key directory is looked at for a renewed key. */
  renewalMs?: number | undefined;
}

/** A renewed key is in no hurry, and a look costs one call for each file. */
const RENEWAL_MS = 10_000;

export interface CloudCounts extends Counts {
  /** Messages that came again, and receipts sent, since the start. */
  repeats: number;
  receipts: number;
}

export interface Cloud {
  /** Registers a public key (130 hexadecimal digits, base64 or PEM); gives its kid, 16 digits. */
  registerDevice(publicKey: string, name?: string): Promise<{ kid: string }>;
  /** The cloud's newest public key, 130 hexadecimal digits. */
  publicKey(): string;
  counts(): Promise<CloudCounts>;
  /** Finishes the message at hand, tells what waits to be told, and ends the connection. */
  close(): Promise<void>;
}

interface Opening {
  opened(): void;
  failed(cause: MqttCause): void;
}

function openCloudLink(
  options: CloudOptions,
  clientId: string,
  receive: ReturnType<typeof createReceiver>["receive"],
  opening: Opening,
): Link {
  const { broker, username, password, prefix = TOPIC_PREFIX, log = () => {} } = options;
  const address = addressOf(broker);
  return openLink(
    { url: broker, username, password, clientId, prefix },
    {
      receive,
      open(version) {
        log({ event: "connected", broker: address, mqtt: version === 5 ? "5" : "3.1.1" });
        opening.opened();
      },
      older() {
        const message = "the broker refuses MQTT 5: no bound on what it sends ahead";
        log({ event: "mqtt-3.1.1", broker: address, message });
      },
      lost(cause, waitMs) {
        const message = `broker ${address}: ${describe(cause)}`;
        log({ event: "disconnected", broker: address, message, retrySeconds: waitMs / 1000 });
        opening.failed(cause);
      },
    },
  );
}

const ownKeysOf = ({ cloud, registrar }: ServiceKeys): OwnKeys => ({
  self: cloud,
  older: cloud.older,
  registrar,
});

function keysLine({ cloud, registrar }: ServiceKeys): LogLine {
  const opening = { cloud: toHex(cloud.kid), older: cloud.older.length };
  const signer = registrar && toHex(registrar.registrar.kid);
  return { event: "keys-renewed", ...opening, registrar: signer };
}

function receiptFailure(log: CloudOptions["log"]) {
  return ({ kid }: { kid: Bytes }, error: unknown) => {
    const { message } = error as Error;
    log?.({ event: "receipt-failed", kid: toHex(kid), message });
  };
}

/**
 * Starts the cloud. Resolves when it listens; rejects when the keys, the database or
 * (without `keepTrying`) the broker cannot be used, and leaves nothing open.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  checkBroker(options.broker);
  const { log = () => {}, onReading, onDated, onEvent, onMessage } = options;
  const crypto = createNodeCrypto();
  const keys = openServiceKeys(crypto, options.keys, (message) =>
    log({ event: "no-registrar", message }),
  );
  const kek = loadKek(crypto, options.keys);
  const store = openSqliteStore(options.database);
  const prefix = options.prefix ?? TOPIC_PREFIX;
  const context: AcceptContext = {
    crypto,
    store,
    sessionKeys: createSessionKeys(crypto, store, kek),
    ...ownKeysOf(keys.current()),
    prefix,
    now: () => Math.floor(Date.now() / 1000),
  };

  try {
    await checkKek(crypto, store, kek);
  } catch (error) {
    await store.close();
    throw error;
  }

  // Each needs the other: messages end in receipts, receipts leave by the link.
  let link: Link;
  const receipts = createReceipts({
    context,
    publish: (topic, payload) => link.publish(topic, payload),
    ready: () => link.ready(),
    failed: receiptFailure(log),
    delayMs: options.receiptDelayMs,
  });
  const receiver = createReceiver({
    context,
    receipts,
    publish: (topic, payload, how) => link.publish(topic, payload, how),
    log,
    onMeasurement: onReading,
    onDated,
    onEvent,
    onMessage,
  });

  /** Devices of an old image find it there; each checks it against its anchor. */
  function publishCertificate(): void {
    const { der } = keys.current().cloud.certificate;
    link.publish(`${prefix}${CLOUD_TOPIC}`, toBuffer(der, "certificate"), { retain: true });
  }

  async function close(): Promise<void> {
    keys.close();
    await receipts.flush();
    await link.close();
    receipts.close();
    context.sessionKeys.close();
    await store.close();
  }

  const opening = new Promise<void>((resolve, reject) => {
    const clientId = options.clientId ?? `cf-cloud-${toHex(keys.current().cloud.kid)}`;
    link = openCloudLink(options, clientId, receiver.receive, {
      opened() {
        publishCertificate();
        void receipts.flush();
        resolve();
      },
      failed: (cause) =>
        reject(new Error(`broker ${addressOf(options.broker)}: ${describe(cause)}`)),
    });
    if (options.keepTrying) resolve();
  });
  try {
    await opening;
  } catch (error) {
    await close();
    throw error;
  }
  keys.watch(options.renewalMs ?? RENEWAL_MS, {
    renewed(renewed) {
      const done = receiver.useKeys(ownKeysOf(renewed));
      publishCertificate();
      log(keysLine(renewed));
      return done;
    },
    kept: (message) => log({ event: "keys-kept", message }),
  });

  return {
    publicKey: () => toHex(keys.current().cloud.publicKey),
    async registerDevice(publicKey, name) {
      const device = await registerDevice(context, parsePublicKey(publicKey), name);
      return { kid: toHex(device.kid) };
    },
    async counts() {
      const counts = await store.counts();
      return { ...counts, repeats: receiver.repeats(), receipts: receipts.sent() };
    },
    close,
  };
}
