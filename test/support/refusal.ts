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

type Codes = Record<string, number>;

function flipEvery(message: Bytes, step: number, open: (flipped: Bytes) => unknown): Codes {
  const codes: Codes = {};
  for (let bit = 0; bit < message.length * 8; bit += step) {
    const code = codeOf(() => open(flipBit(message, bit)));
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return codes;
}

/** The number of each code that `open` gives over every single-bit flip of the message. */
export function flipEveryBit(message: Bytes, open: (flipped: Bytes) => unknown): Codes {
  return flipEvery(message, 1, open);
}

/** Likewise over one flip in each byte, another bit from byte to byte. */
export function flipEveryByte(message: Bytes, open: (flipped: Bytes) => unknown): Codes {
  return flipEvery(message, 7, open);
}
