/** Commands over a real broker to a device that answers, for the tests of one file. */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type Delivery, deliver } from "../../../cloud/operator/deliver.ts";
import { openSender } from "../../../cloud/operator/sender.ts";
import type { Command } from "../../../cloud/store/commands.ts";
import { STATUS_DONE, STATUS_STALE } from "../../../protocol/reply-message.ts";
import { type Mosquitto, startMosquitto } from "../../support/mosquitto.ts";
import { type Answer, obey, storeReplies } from "./command-device.ts";
import { type OperatorBench, openOperatorBench } from "./operator-bench.ts";
import { temporaryDirectories } from "./temporary.ts";
import { PREFIX } from "./test-device.ts";

const NEVER = new Promise<void>(() => {});
/** Nothing is slower on a machine that is busy. */
const LONG = 30_000;
const QUICK = { pollMs: 20, resendMs: 100 };

/** As devices do: only what has a higher counter than all before. */
export function ordered(last = 0): Answer {
  let highest = last;
  return ({ command: { counter } }) => {
    if (counter <= highest) return { status: STATUS_STALE, detail: highest };
    highest = counter;
    return { status: STATUS_DONE, detail: 0 };
  };
}

/** Fresh for each test of the file, but for the broker. */
export function deliverBench() {
  const temporary = temporaryDirectories();
  const closers: (() => unknown)[] = [];
  let broker: Mosquitto;
  let parts: OperatorBench;
  let replies: Awaited<ReturnType<typeof storeReplies>>;

  beforeAll(async () => {
    broker = await startMosquitto();
  });
  afterAll(() => broker?.close());
  beforeEach(async () => {
    parts = await openOperatorBench(temporary());
    replies = await storeReplies(broker.url, () => parts.store, [parts.device]);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await replies.close();
    await parts.close();
  });

  async function connect(url = broker.url, maxQos: 1 | 2 = 2) {
    const sender = await openSender({ url, maxQos });
    closers.push(sender.close);
    return sender;
  }

  return {
    get url() {
      return broker.url;
    },
    get parts() {
      return parts;
    },
    get store() {
      return parts.store;
    },
    get device() {
      return parts.device;
    },
    /** What became of each reply that came. */
    get outcomes() {
      return replies.outcomes;
    },
    temporary,
    connect,
    closeLater: (close: () => unknown) => closers.push(close),

    /** The device, from now on. */
    async listen(answer: Answer) {
      const { device, provisioner } = parts;
      const whom = { url: broker.url, device, cloud: replies.cloud, answer };
      const obedient = await obey({ ...whom, provisioner: provisioner.publicKey });
      closers.push(obedient.close);
      return obedient;
    },

    async send(command: Command, change: Partial<Delivery> = {}) {
      const sender = change.sender ?? (await connect());
      return deliver({
        ...{ store: parts.store, sender, prefix: PREFIX, command, stopped: NEVER },
        ...{ timeoutMs: LONG, timing: QUICK, ...change },
      });
    },
  };
}
