import { STATUSES } from "../../cloud/operator/outcome.ts";
import { toStored } from "../../cloud/receiver/records.ts";
import { type Bytes, fromBigEndian, toHex } from "../../protocol/bytes.ts";
import { checkContentHeader } from "../../protocol/cose/content-header.ts";
import { createHeaders } from "../../protocol/cose/encrypt0.ts";
import { createEventOpener } from "../../protocol/event-message.ts";
import { createReplyOpener, type Reply, STATUS_EXPIRED } from "../../protocol/reply-message.ts";
import { createSessionOpener } from "../../protocol/session-message.ts";
import type { MessageClass } from "../../protocol/topics.ts";
import { inspectCommand, inspectEnrolled } from "./downward.ts";
import { inspectEnrol } from "./enrol.ts";
import { recordView, secretText, timeText } from "./names.ts";
import { inspectReading, inspectReceipt } from "./sealed.ts";
import { type SignedRule, signedClass } from "./signed.ts";
import type { Inspector } from "./subject.ts";

/** Bytes of a session key. */
const KEY_LENGTH = 16;

const session: SignedRule = {
  readHeader: (header) => fromBigEndian(createHeaders().readContent(header)),
  open({ crypto }, sign1, device, self) {
    const { key, kid, counter, baseIv } = createSessionOpener(crypto)(sign1, device, self);
    crypto.destroyKey(key);
    const content = {
      kid: toHex(kid),
      key: secretText(KEY_LENGTH),
      baseIv: secretText(baseIv.length),
    };
    return { counter, content };
  },
};

/** Protected header {1: 1}: the content is not a key, so it has no kid. */
function readPlainHeader(header: Bytes): undefined {
  checkContentHeader(header);
}

const event: SignedRule = {
  readHeader: readPlainHeader,
  open({ crypto }, sign1, device, self) {
    const { counter, records } = createEventOpener(crypto)(sign1, device, self);
    const shown = records.map((record) => recordView(toStored(record)));
    return { counter, content: { counter, records: shown } };
  },
};

function detailView({ status, detail }: Reply): string | number {
  if (typeof detail === "string") return `CSR, ${detail.length} bytes`;
  return status === STATUS_EXPIRED ? timeText(detail) : detail;
}

const reply: SignedRule = {
  readHeader: readPlainHeader,
  open({ crypto }, sign1, device, self) {
    const opened = createReplyOpener(crypto)(sign1, device, self);
    const { counter, command, status } = opened;
    const content = {
      counter,
      command: toHex(command),
      status: STATUSES[status],
      detail: detailView(opened),
    };
    return { counter, content };
  },
};

/** By class. Of a class that is not in the table, only size and encoding are judged. */
export type Inspectors = { [name in MessageClass]?: Inspector };

/** Every class of message that is judged whole: a further one is a line here. */
export const INSPECTORS = {
  session: signedClass("session", session),
  reading: inspectReading,
  event: signedClass("event", event),
  receipt: inspectReceipt,
  enrol: inspectEnrol,
  enrolled: inspectEnrolled,
  command: inspectCommand,
  reply: signedClass("reply", reply),
} satisfies Inspectors;
