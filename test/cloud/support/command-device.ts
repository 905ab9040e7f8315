/**
 * A device that obeys commands over a real broker, without firmware: it opens each message
 * as devices do and answers what the test says. And the part of `serve` that stores replies.
 */
import mqtt from "mqtt";
import { fromBuffer } from "../../../cloud/crypto/convert.ts";
import { writeReplyContent } from "../../../cloud/store/reply-content.ts";
import type { Store } from "../../../cloud/store/store.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { createCommandOpener, type OpenedCommand } from "../../../protocol/command-message.ts";
import { hashSign1, parseSign1 } from "../../../protocol/cose/sign1.ts";
import { createStructures } from "../../../protocol/cose/structures.ts";
import {
  createReplyMaker,
  createReplyOpener,
  type Reply,
  STATUS_DELETED,
  STATUS_DONE,
} from "../../../protocol/reply-message.ts";
import { makeParty, nodeCrypto, type Party } from "../../support/parties.ts";
import { PREFIX, type TestDevice, wire } from "./test-device.ts";

/** Undefined: no answer. It names the command that it is for, unless it says another. */
export type Answer = (
  opened: OpenedCommand,
) => (Omit<Reply, "command"> & { command?: Bytes }) | undefined;

export const done: Answer = () => ({ status: STATUS_DONE, detail: 0 });

export interface ObeyOptions {
  url: string;
  device: TestDevice;
  cloud: Party;
  answer: Answer;
  /** Whose commands it takes, with or without his certificate. */
  provisioner: Bytes;
}

/** Subscribes as the device and answers; gives what it opened, in order. */
export async function obey({ url, device, cloud, answer, provisioner }: ObeyOptions) {
  const opened: OpenedCommand[] = [];
  const messages: Buffer[] = [];
  const self = { key: device.crypto.openDeviceKey(), thumbprint: device.thumbprint };
  const opener = createCommandOpener(device.crypto);
  const makeReply = createReplyMaker(device.crypto);
  const client = await mqtt.connectAsync(url, { clientId: `cf-${device.kidHex}`, clean: false });
  client.on("message", (_topic, payload) => {
    messages.push(payload);
    const command = opener.open(opener.parse(fromBuffer(payload)), self, provisioner);
    opened.push(command);
    const reply = answer(command);
    if (reply === undefined) return;
    const { message } = makeReply(self, [cloud], device.crypto.nextDeviceCounter(), {
      command: command.hash,
      ...reply,
    });
    client.publish(device.topic("reply"), wire(message), { qos: 2 });
  });
  await client.subscribeAsync(device.topic("command"), { qos: 2 });
  return { opened, messages, close: () => client.endAsync(true) };
}

export type Obedient = Awaited<ReturnType<typeof obey>>;

/** Verifies, opens and stores replies to the cloud's key. */
export async function storeReplies(url: string, store: () => Store, devices: TestDevice[]) {
  const cloud = makeParty();
  const openReply = createReplyOpener(nodeCrypto);
  const outcomes: string[] = [];
  const client = await mqtt.connectAsync(url);

  async function accept(topic: string, payload: Buffer): Promise<void> {
    const device = devices.find((one) => one.topic("reply") === topic) as TestDevice;
    const sign1 = parseSign1(fromBuffer(payload));
    const sender = { publicKey: device.point, thumbprint: device.thumbprint };
    const reply = openReply(sign1, sender, cloud);
    const aad = createStructures().externalAad("reply", device.thumbprint);
    const outcome = await store().commitReply(
      {
        ...{ device: device.kid, counter: reply.counter, command: reply.command },
        content: writeReplyContent(reply),
        at: Math.floor(Date.now() / 1000),
        deleted: reply.status === STATUS_DELETED,
      },
      hashSign1(nodeCrypto, sign1, aad),
    );
    outcomes.push(outcome);
  }

  client.on("message", (topic, payload) => void accept(topic, payload));
  await client.subscribeAsync(`${PREFIX}/+/reply`, { qos: 2 });
  return { cloud, outcomes, close: () => client.endAsync(true) };
}
