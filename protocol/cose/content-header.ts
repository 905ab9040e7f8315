import type { Bytes } from "../bytes.ts";
import { type Cursor, readEnd, readExactly } from "../cbor.ts";

/** Protected header of a content that is no key and so has no kid: {1: 1}. */
export const CONTENT_HEADER = "\xa1\x01\x01" as Bytes;

/** Accepts no other header: "profile" or "cbor". */
export function checkContentHeader(protectedHeader: Bytes): void {
  const header: Cursor = { bytes: protectedHeader, at: 0 };
  readExactly(header, CONTENT_HEADER, "protected header of the content");
  readEnd(header);
}
