import type { Bytes } from "../../protocol/bytes.ts";
import type { CoseflowError } from "../../protocol/errors.ts";
import { codeOf, flipBit } from "../cloud/crypto/support.ts";

export { codeOf, flipBit };

/** Every code of the closed union in protocol/errors.ts. */
export const ERROR_CODES = [
  "cbor",
  "form",
  "profile",
  "size",
  "topic",
  "kid",
  "signature",
  "decrypt",
  "sequence",
  "certificate",
  "key",
  "store",
  "random",
  "unsupported",
  "memory",
  "argument",
] as const satisfies CoseflowError["code"][];

/** What a message that is not ours may be refused with. The other codes blame this side. */
export const MESSAGE_CODES: readonly string[] = [
  "cbor",
  "form",
  "profile",
  "size",
  "kid",
  "signature",
  "decrypt",
  "sequence",
  "argument",
];

/** The number of each code that `open` gives over every single-bit flip of the message. */
export function flipEveryBit(message: Bytes, open: (flipped: Bytes) => unknown) {
  const codes: Record<string, number> = {};
  for (let bit = 0; bit < message.length * 8; bit++) {
    const code = codeOf(() => open(flipBit(message, bit)));
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return codes;
}
