import type { Bytes } from "../../protocol/bytes.ts";
import { type Allowance, createFailureBudget } from "../receiver/failure-budget.ts";

/**
 * Failures in the names of keys that nobody knows, all together. To find that a message does
 * not open took 0.3 ms on a busy PC, so a flood takes a third of a processor at most. A device
 * asks again: of several tries in such a flood one finds the budget open.
 */
const OF_STRANGERS: Allowance = { burst: 2000, perSecond: 1000 };
/** One that opens, and is refused for its claim, took 6 ms; its sender worked for it too. */
const COST_OF_OPENED = 20;
const STRANGERS = "" as Bytes;

/**
 * The registrar's own budgets, so that junk for it costs no other class anything. A key has
 * one under its whole thumbprint, which nobody knows who has not seen its messages. The one
 * for all strangers does not touch keys that are registered.
 */
export function createEnrolLimit(now: () => number) {
  const ofKey = createFailureBudget(now);
  const ofStrangers = createFailureBudget(now, OF_STRANGERS);

  return {
    allows: (thumbprint: Bytes) => ofKey.allows(thumbprint),
    allowsOpening: (isKnown: boolean) => isKnown || ofStrangers.allows(STRANGERS),
    failed(thumbprint: Bytes, isKnown: boolean, isOpened: boolean): void {
      ofKey.spend(thumbprint);
      if (!isKnown) ofStrangers.spend(STRANGERS, isOpened ? COST_OF_OPENED : 1);
    },
    /** Each repeat is answered with a message, so it counts as well. */
    repeated: (thumbprint: Bytes) => ofKey.spend(thumbprint),
  };
}
