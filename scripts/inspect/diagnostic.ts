/** Diagnostic notation (RFC 8949 section 8, RFC 8610 appendix G), COSE messages opened up. */
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { type Item, readTree } from "./cbor-tree.ts";

const STEP = "  ";
/** Longer ones are broken: white space within h'' means nothing. */
const LINE = 64;

/** Bytes of a string that is shortened, and how many are left of it at its start and end. */
const SHORT = 32;
const START = 12;
const END = 4;

/** Sign1 of Encrypt of headers is 3; without a bound a hostile message could fill the stack. */
const MAX_EMBEDDED = 4;

/** Which elements of a COSE structure are byte strings that hold CBOR, by tag. */
const EMBEDDED: Record<string, number[]> = { 16: [0], 18: [0, 2], 96: [0] };
const RECIPIENTS_AT = 3;

const SIMPLE: Record<number, string> = { 20: "false", 21: "true", 22: "null", 23: "undefined" };

/** Hexadecimal digits, 32 bytes a line. */
export function hexLines(value: Bytes): string[] {
  return toHex(value).match(/.{1,64}/g) ?? [""];
}

function shortened(value: Bytes): string {
  const [start, end] = [value.slice(0, START), value.slice(-END)] as [Bytes, Bytes];
  return `h'${toHex(start)}...${toHex(end)}' / ${value.length} bytes /`;
}

/** Text as JSON writes it, and nothing that a terminal would obey. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /\p{C}/gu,
    (sign) => `\\u{${(sign.codePointAt(0) as number).toString(16)}}`,
  );
}

function lines(parts: string[], indent: string): string {
  return `[\n${parts.map((part) => `${indent}${STEP}${part}`).join(",\n")}\n${indent}]`;
}

function floatText(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) && !/e/.test(String(value)) ? `${value}.0` : String(value);
}

/** Prints items; `level` is how many byte strings may still be opened within one another. */
function createPrinter(full: boolean) {
  function byteString(value: Bytes, indent: string): string {
    if (!full && value.length > SHORT) return shortened(value);
    return `h'${hexLines(value).join(`\n${indent}${STEP}`)}'`;
  }

  /** A byte string that should hold CBOR; as it is, when it holds something else. */
  function embedded(item: Item, indent: string, level: number): string {
    if (!("bytes" in item) || level === 0) return print(item, indent, level);
    let inner: Item;
    try {
      inner = readTree(item.bytes).item;
    } catch {
      return print(item, indent, level);
    }
    return `<< ${print(inner, indent, level - 1)} >>${item.encoding}`;
  }

  /** The array of a COSE message or recipient: an element a line. */
  function structure(items: Item[], holdsCbor: number[], indent: string, level: number): string {
    const inner = indent + STEP;
    const parts = items.map((item, i) => {
      if (holdsCbor.includes(i)) return embedded(item, inner, level);
      return i === RECIPIENTS_AT && "array" in item
        ? recipients(item.array, inner, level)
        : print(item, inner, level);
    });
    return lines(parts, indent);
  }

  /** Recipients within recipients are printed as plain arrays. */
  function recipients(items: Item[], indent: string, level: number): string {
    const inner = indent + STEP;
    const parts = items.map((item) => {
      if (!("array" in item)) return print(item, inner, level);
      const fields = item.array.slice(0, RECIPIENTS_AT);
      const more = item.array.length > RECIPIENTS_AT;
      return more ? print(item, inner, level) : structure(fields, [0], inner, level);
    });
    return lines(parts, indent);
  }

  function tagged(tag: bigint, of: Item, indent: string, level: number): string {
    const holdsCbor = EMBEDDED[String(tag)];
    if (holdsCbor === undefined || !("array" in of) || of.encoding !== "" || of.array.length === 0)
      return print(of, indent, level);
    return structure(of.array, holdsCbor, indent, level);
  }

  function collection(item: Item, parts: string[], brackets: string, indent: string): string {
    const mark = item.encoding === "" ? "" : `${item.encoding} `;
    const [open, close] = [`${brackets[0]}${mark}`, brackets[1]];
    const inline = open + parts.join(", ") + close;
    if (inline.length <= LINE && !inline.includes("\n")) return inline;
    const inner = parts.map((part) => `${indent}${STEP}${part}`).join(",\n");
    return `${open.trimEnd()}\n${inner}\n${indent}${close}`;
  }

  function print(item: Item, indent: string, level: number): string {
    const { encoding } = item;
    const inner = indent + STEP;
    const each = (items: Item[]) => items.map((one) => print(one, inner, level));
    if ("int" in item) return `${item.int}${encoding}`;
    if ("bytes" in item) return `${byteString(item.bytes, indent)}${encoding}`;
    if ("text" in item) return `${quoted(item.text)}${encoding}`;
    if ("simple" in item) return SIMPLE[item.simple] ?? `simple(${item.simple})`;
    if ("float" in item) return `${floatText(item.float)}${encoding}`;
    if ("tag" in item) return `${item.tag}${encoding}(${tagged(item.tag, item.of, indent, level)})`;
    if ("pieces" in item) return collection(item, each(item.pieces), "()", indent);
    if ("array" in item) return collection(item, each(item.array), "[]", indent);
    const pairs = item.map.map(
      ([key, value]) => `${print(key, indent, level)}: ${print(value, inner, level)}`,
    );
    return collection(item, pairs, "{}", indent);
  }

  return (item: Item) => print(item, "", MAX_EMBEDDED);
}

/** One item in diagnostic notation, long byte strings shortened unless `full`. */
export function printItem(item: Item, full: boolean): string {
  return createPrinter(full)(item);
}

/** One whole item of CBOR in diagnostic notation, nothing left out. */
export function diagnose(value: Bytes): string {
  return printItem(readTree(value).item, true);
}

/** One item likewise, nothing left out, that zeros may follow. */
export function diagnosePadded(value: Bytes): string {
  let length = value.length;
  for (;;)
    try {
      const text = diagnose(value.slice(0, length) as Bytes);
      const zeros = value.length - length;
      return zeros === 0 ? text : `${text}\nand ${zeros} zeros`;
    } catch (error) {
      if (value.charCodeAt(--length) !== 0) throw error;
    }
}
