/** Captured messages as people have them: bytes, or their hexadecimal or base64 text. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { MAX_MESSAGE } from "./inspect.ts";

/** Bytes of a file or of standard input: the longest message as hexadecimal text, with room for blanks. */
const MAX_INPUT = 4 * MAX_MESSAGE;

const HEX = /^[0-9a-f]+$/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
/** Text has no other bytes: a message begins with a CBOR tag, which is none of these. */
const TEXT = /^[\t\n\r -~]*$/;

/** A message from hexadecimal digits (0x and h'' are known too) or base64; throws for anything else. */
export function decodeText(text: string): Bytes {
  const digits = text
    .trim()
    .replace(/^h'(.*)'$/s, "$1")
    .replace(/^0x/i, "")
    .replace(/[\s:]/g, "");
  if (digits === "") throw new Error("message, expected hexadecimal or base64, got nothing");
  if (HEX.test(digits)) {
    if (digits.length % 2 !== 0)
      throw new Error(`message, expected an even number of digits, got ${digits.length}`);
    return fromBuffer(Buffer.from(digits, "hex"));
  }
  const { length } = digits.replace(/=+$/, "");
  if (!BASE64.test(digits) || length % 4 === 1)
    throw new Error("message, expected hexadecimal or base64, got other text");
  return fromBuffer(Buffer.from(digits, "base64"));
}

/** A message from a file's content: the bytes themselves, or text of them. */
export function decodeContent(content: Buffer): Bytes {
  if (content.length === 0) throw new Error("message, expected bytes or text, got nothing");
  const text = content.toString("latin1");
  return TEXT.test(text) ? decodeText(text) : fromBuffer(content);
}

/** Reads a file, or standard input where `path` is "-", as far as a message can go. */
export async function readInput(path: string, stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of path === "-" ? stdin : createReadStream(path)) {
      chunks.push(Buffer.from(chunk));
      length += chunk.length;
      if (length > MAX_INPUT)
        throw new Error(`message, expected at most ${MAX_INPUT} bytes of input, got more`);
    }
  } catch (error) {
    // Of a directory the system does not say which.
    throw Object.assign(error as Error, { path });
  }
  return Buffer.concat(chunks);
}
