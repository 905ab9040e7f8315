/**
 * What nobody in between may read, in each form in which it could be there.
 *
 * No form is shorter than SHORTEST bytes. What is encrypted looks random: in 8 MB of it (a
 * life records less than 4) one form of six bytes is found by chance once in 2^48 / 2^23 = 2^25
 * lives. Some twenty forms have six or seven bytes and the others more, so that a false alarm
 * comes once in a million lives. Values have 50 bits or more for the same reason.
 */

export const SHORTEST = 6;

export interface Word {
  name: string;
  forms: Form[];
}

interface Form {
  /** Such as "hex" or "base64+1": with one byte before it in its group of three. */
  name: string;
  bytes: Buffer;
}

const BITS_OF_BASE64 = 6;

/** The characters that are the same whatever stands before and after, by the place in a group. */
function base64Of(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
  const first = Math.ceil((before * 8) / BITS_OF_BASE64);
  const end = Math.floor(((before + bytes.length) * 8) / BITS_OF_BASE64);
  return text.slice(first, end);
}

function formsOf(what: string, bytes: Buffer): Form[] {
  const hex = bytes.toString("hex");
  const form = (name: string, text: string) => ({
    name: `${what}${name}`,
    bytes: Buffer.from(text),
  });
  const base64 = [0, 1, 2].flatMap((before) => {
    const text = base64Of(bytes, before);
    const ofUrls = text.replaceAll("+", "-").replaceAll("/", "_");
    const forms = [form(` in base64+${before}`, text)];
    return ofUrls === text ? forms : [...forms, form(` in base64url+${before}`, ofUrls)];
  });
  return [
    { name: what, bytes },
    form(" in hex", hex),
    form(" in capital hex", hex.toUpperCase()),
    ...base64,
  ];
}

/**
 * A name, in UTF-8. In CBOR it is a head and the same bytes. One that is too short to be looked
 * for alone is looked for as CBOR and JSON have it, `after` being the CBOR that follows.
 */
export function textWord(name: string, text: string, after = ""): Word {
  const bytes = Buffer.from(text);
  if (bytes.length >= SHORTEST) return { name, forms: formsOf("text", bytes) };
  const head = Buffer.of(0x60 + bytes.length);
  const inCbor = Buffer.concat([head, bytes, Buffer.from(after, "latin1")]);
  return {
    name,
    forms: [...formsOf("CBOR", inCbor), ...formsOf("JSON", Buffer.from(`"${text}"`))],
  };
}

/** A secret, and its hexadecimal digits as people type them. */
export function secretWord(name: string, bytes: Buffer): Word {
  const typed = formsOf("digits", Buffer.from(bytes.toString("hex")));
  return { name, forms: [...formsOf("bytes", bytes), ...typed.slice(1)] };
}

/** The bytes of an integer without leading zeros: CBOR and every other big-endian form end in them. */
function bigEndian(integer: number): Buffer {
  const digits = integer.toString(16);
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
}

function floats(what: string, value: number): Form[] {
  const [big, little] = [Buffer.alloc(8), Buffer.alloc(8)];
  big.writeDoubleBE(value);
  little.writeDoubleLE(value);
  return [...formsOf(`${what} as float`, big), ...formsOf(`${what} as reversed float`, little)];
}

/**
 * A value that is an integer times 10^exponent, `exponent` from -2 to 0. Its decimal digits are
 * looked for up to the point, as text has them with and without it.
 */
export function valueWord(name: string, integer: number, exponent: number): Word {
  const bytes = bigEndian(integer);
  const digits = Buffer.from(String(integer).slice(0, exponent || undefined));
  const hex = integer.toString(16);
  return {
    name,
    forms: [
      ...formsOf("digits", digits),
      { name: "hex digits", bytes: Buffer.from(hex) },
      { name: "capital hex digits", bytes: Buffer.from(hex.toUpperCase()) },
      ...formsOf("integer", bytes),
      ...formsOf("reversed integer", Buffer.from(bytes).reverse()),
      ...floats("integer", integer),
      ...(exponent === 0 ? [] : floats("value", integer * 10 ** exponent)),
    ],
  };
}
