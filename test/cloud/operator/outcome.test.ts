import { describe, expect, it } from "vitest";
import { obeyedCounter, outcomeOf } from "../../../cloud/operator/outcome.ts";
import type { Command, CommandAction } from "../../../cloud/store/commands.ts";
import { type ReplyContent, writeReplyContent } from "../../../cloud/store/reply-content.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import {
  REASON_BUSY,
  REASON_USER,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_POLICY,
  STATUS_REFUSED,
  STATUS_ROLLED,
  STATUS_STALE,
} from "../../../protocol/reply-message.ts";
import { deviceOf, draftOf, makeCommand, NOW } from "../support/store-bench.ts";

function replied(action: CommandAction, reply: ReplyContent): Command {
  const content = writeReplyContent(reply);
  return {
    ...draftOf(deviceOf("a"), { action, form: "signed" }),
    ...makeCommand(1),
    ...{ counter: 1, state: "replied", reply: { content, counter: 1, at: NOW } },
  };
}

describe("the outcome of a command", () => {
  it.each([
    ["request", STATUS_DONE, true],
    ["request", STATUS_ROLLED, false],
    ["update", STATUS_DONE, true],
    ["update", STATUS_ROLLED, true],
    ["update", STATUS_DELETED, false],
    ["delete", STATUS_DELETED, true],
    ["delete", STATUS_DONE, false],
  ] as const)("%s with status %i is done: %s", (action, status, isDone) => {
    const detail = status === STATUS_ROLLED ? ("csr" as Bytes) : 0;
    expect(outcomeOf(replied(action, { status, detail }))?.isDone).toBe(isDone);
  });

  it.each([
    ["refused", STATUS_REFUSED, REASON_USER, /another user/],
    ["refused", STATUS_REFUSED, REASON_BUSY, /again later/],
    ["refused", STATUS_REFUSED, 99, /^reason 99$/],
    ["stale", STATUS_STALE, 77, /obeyed counter 77.*again/],
    ["expired", STATUS_EXPIRED, NOW, /2027-01-15T08:00:00.000Z.*--expires/],
    ["policy", STATUS_POLICY, 1, /takes "request" sealed, not signed/],
  ] as const)("%s says what to do: %i, %i", (name, status, detail, words) => {
    const outcome = outcomeOf(replied("request", { status, detail }));
    expect(outcome).toMatchObject({ isDone: false, status: name, detail });
    expect(outcome?.words).toMatch(words);
  });

  it("is none without a reply", () => {
    const command = {
      ...replied("request", { status: STATUS_STALE, detail: 5 }),
      reply: undefined,
    };
    expect([outcomeOf(command), obeyedCounter(command)]).toEqual([undefined, undefined]);
  });

  it("tells the counter of a stale one alone", () => {
    const counterOf = (status: number) => obeyedCounter(replied("request", { status, detail: 5 }));
    expect([STATUS_STALE, STATUS_EXPIRED].map(counterOf)).toEqual([5, undefined]);
  });
});
