import type { CoseflowError } from "../../protocol/errors.ts";
import type { OwnKey } from "./accept-context.ts";

/**
 * What `open` makes of a message with the first key that is one of its recipients; "kid"
 * when none of them is.
 */
export function openWithAny<T>(keys: OwnKey[], open: (key: OwnKey) => T): T {
  let refusal: unknown;
  for (const key of keys) {
    try {
      return open(key);
    } catch (error) {
      if ((error as CoseflowError).code !== "kid") throw error;
      refusal = error;
    }
  }
  throw refusal;
}
