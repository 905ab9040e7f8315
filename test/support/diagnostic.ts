/** Diagnostic notation (RFC 8949 section 8, RFC 8610 appendix G) of what this profile sends. */
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { type Item, readAny, readItem } from "./cbor-any.ts";

const STEP = "  ";
/** Longer ones are broken: white space within h'' means nothing. */
const LINE = 64;

/** Hexadecimal digits, 32 bytes a line. */
export function hexLines(value: Bytes): string[] {
  return toHex(value).match(/.{1,64}/g) ?? [""];
}

function byteString(value: Bytes, indent: string): string {
  return `h'${hexLines(value).join(`\n${indent}${STEP}`)}'`;
}

/** Which elements of a COSE structure are byte strings that hold CBOR, by tag. */
const EMBEDDED: Record<number, number[]> = { 16: [0], 18: [0, 2], 96: [0] };
const RECIPIENTS_AT = 3;

function lines(parts: string[], indent: string): string {
  return `[\n${parts.map((part) => `${indent}${STEP}${part}`).join(",\n")}\n${indent}]`;
}

function embedded(item: Item, indent: string): string {
  return "bytes" in item ? `<< ${print(readAny(item.bytes), indent)} >>` : print(item, indent);
}

/** The array of a COSE message or recipient: an element a line. */
function structure(items: Item[], holdsCbor: number[], indent: string): string {
  const inner = indent + STEP;
  const parts = items.map((item, i) => {
    if (holdsCbor.includes(i)) return embedded(item, inner);
    return i === RECIPIENTS_AT && "array" in item
      ? recipients(item.array, inner)
      : print(item, inner);
  });
  return lines(parts, indent);
}

function recipients(items: Item[], indent: string): string {
  const inner = indent + STEP;
  const parts = items.map((item) =>
    "array" in item ? structure(item.array, [0], inner) : print(item, inner),
  );
  return lines(parts, indent);
}

function tagged(tag: number, of: Item, indent: string): string {
  const holdsCbor = EMBEDDED[tag];
  const isMessage = holdsCbor !== undefined && "array" in of;
  return `${tag}(${isMessage ? structure(of.array, holdsCbor, indent) : print(of, indent)})`;
}

function print(item: Item, indent: string): string {
  if ("int" in item) return String(item.int);
  if ("bytes" in item) return byteString(item.bytes, indent);
  if ("text" in item) return JSON.stringify(Buffer.from(item.text, "latin1").toString("utf8"));
  if ("boolean" in item) return String(item.boolean);
  if ("tag" in item) return tagged(item.tag, item.of, indent);
  const parts =
    "array" in item
      ? item.array.map((each) => print(each, indent + STEP))
      : item.map.map(([key, value]) => `${print(key, indent)}: ${print(value, indent + STEP)}`);
  const [open, close] = "array" in item ? ["[", "]"] : ["{", "}"];
  const inline = open + parts.join(", ") + close;
  if (inline.length <= LINE) return inline;
  const inner = parts.map((part) => `${indent}${STEP}${part}`).join(",\n");
  return `${open}\n${inner}\n${indent}${close}`;
}

/** One whole item of the profile's types, COSE messages opened up to their ciphertexts. */
export function diagnose(value: Bytes): string {
  return print(readAny(value), "");
}

/** Likewise, for an item that zeros may follow. */
export function diagnosePadded(value: Bytes): string {
  const cursor = { bytes: value, at: 0 };
  const text = print(readItem(cursor), "");
  const zeros = value.length - cursor.at;
  return zeros === 0 ? text : `${text}\nand ${zeros} zeros`;
}
