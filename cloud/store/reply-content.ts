/** How an opened reply rests in its command's row: [status, detail], in deterministic CBOR. */
import type { Bytes } from "../../protocol/bytes.ts";
import { cborBytes, cborInt, UNSIGNED } from "../../protocol/cbor.ts";
import { createReader } from "../../protocol/cbor-reader.ts";
import type { Reply } from "../../protocol/reply-message.ts";

/** What a reply says; the command that it is for is the row's. */
export type ReplyContent = Pick<Reply, "status" | "detail">;

const PAIR = "\x82";
/** Major type 0 of CBOR: first bytes below this start a number. */
const FIRST_BYTE_OF_OTHERS = 0x20;

export function writeReplyContent({ status, detail }: ReplyContent): Bytes {
  const written = typeof detail === "number" ? cborInt(detail) : cborBytes(detail);
  return `${PAIR}${cborInt(status)}${written}` as Bytes;
}

export function readReplyContent(content: Bytes): ReplyContent {
  const reader = createReader(content);
  reader.exactly(PAIR, "stored reply");
  const status = reader.head(UNSIGNED);
  const isNumber = reader.peek() < FIRST_BYTE_OF_OTHERS;
  const detail = isNumber ? reader.head(UNSIGNED) : reader.bytes();
  reader.end();
  return { status, detail };
}
