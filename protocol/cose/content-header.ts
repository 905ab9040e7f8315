import type { Bytes } from "../bytes.ts";
import { createReader } from "../cbor-reader.ts";

/** Protected header of a content that is no key and so has no kid: {1: 1}. */
export const CONTENT_HEADER = "\xa1\x01\x01" as Bytes;

/** Accepts no other header: "profile" or "cbor". */
export function checkContentHeader(protectedHeader: Bytes): void {
  const header = createReader(protectedHeader);
  header.exactly(CONTENT_HEADER, "protected header of the content");
  header.end();
}
