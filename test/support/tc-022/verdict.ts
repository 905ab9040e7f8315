/** What a scan says of each class of messages under a policy. */
import { type Piece, UNKNOWN } from "./pieces.ts";
import type { Hit } from "./scan.ts";

/** What a policy leaves open: in each message of the class these words stand, and no others. */
export interface Waiver {
  messageClass: string;
  /** Such as "signed". */
  form: string;
  words: string[];
}

export interface Verdict {
  messageClass: string;
  packets: number;
  bytes: number;
  result: "PASS" | "WAIVED" | "FAIL";
  /** What was found, or what is missing. */
  why: string;
}

const unique = (texts: string[]) => [...new Set(texts)].sort();

const describe = (hits: Hit[]) =>
  unique(hits.map(({ word, form, place }) => `${word} (${form}, ${place})`)).join(", ");

/** Waived is only what is there: each of the words in each of the packets. */
function judgeWaived(pieces: Piece[], hits: Hit[], { form, words }: Waiver) {
  const others = hits.filter(({ word }) => !words.includes(word));
  if (others.length > 0) return { result: "FAIL", why: `found: ${describe(others)}` } as const;
  const missing = words.filter((word) =>
    pieces.some((piece) => !hits.some((hit) => hit.piece === piece && hit.word === word)),
  );
  if (missing.length > 0)
    return { result: "FAIL", why: `waived, and not in each: ${missing.join(", ")}` } as const;
  return { result: "WAIVED", why: `by policy (${form}): ${words.join(", ")}` } as const;
}

function judgeClass(
  messageClass: string,
  pieces: Piece[],
  hits: Hit[],
  waiver: Waiver | undefined,
) {
  if (messageClass === UNKNOWN) return { result: "FAIL", why: "nobody knows what it is" } as const;
  if (pieces.length === 0) return { result: "FAIL", why: "never seen" } as const;
  if (waiver) return judgeWaived(pieces, hits, waiver);
  if (hits.length > 0) return { result: "FAIL", why: `found: ${describe(hits)}` } as const;
  return { result: "PASS", why: "" } as const;
}

/** One verdict for each class that was expected or seen. */
export function judge(
  pieces: Piece[],
  hits: Hit[],
  expected: readonly string[],
  waivers: Waiver[],
): Verdict[] {
  const seen = unique(pieces.map(({ messageClass }) => messageClass));
  const classes = [...expected, ...seen.filter((name) => !expected.includes(name))];
  return classes.map((messageClass) => {
    const own = pieces.filter((piece) => piece.messageClass === messageClass);
    const found = hits.filter(({ piece }) => piece.messageClass === messageClass);
    const waiver = waivers.find((one) => one.messageClass === messageClass);
    return {
      messageClass,
      packets: own.length,
      bytes: own.reduce((sum, { bytes }) => sum + bytes.length, 0),
      ...judgeClass(messageClass, own, found, waiver),
    };
  });
}

export function toTable(title: string, verdicts: Verdict[]): string {
  const rows = verdicts.map(({ messageClass, packets, bytes, result, why }) =>
    [
      messageClass.padEnd(18),
      String(packets).padStart(7),
      String(bytes).padStart(8),
      `  ${result} ${why}`.trimEnd(),
    ].join(" "),
  );
  const head = `${"class".padEnd(18)} packets    bytes   verdict`;
  return [`TC-022, ${title}`, head, ...rows].join("\n");
}
