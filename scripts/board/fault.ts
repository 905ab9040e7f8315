/** One thing that is wrong with a board file, and where. */
export interface Fault {
  /** From 1, as editors count. */
  line: number;
  column: number;
  /** JSON pointer (RFC 6901); empty for the file as a whole. */
  pointer: string;
  expected: string;
  /** Never a secret: see `quote`. */
  got: string;
  /** The name that was probably meant. */
  nearest?: string;
}

/** Longer text is more likely a key or a password than a slip. */
const QUOTED_LENGTH = 24;

/** A value in words, in full only where it is short and plain: a board file may hold what is secret by mistake. */
export function quote(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "number") return `${value}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== "string") return "an object";
  if (value.length <= QUOTED_LENGTH && /^[\w.-]*$/.test(value)) return `"${value}"`;
  return `text of ${value.length} characters`;
}

export function formatFault(file: string, fault: Fault): string {
  const { line, column, pointer, expected, got, nearest } = fault;
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return `${file}:${line}:${column}: ${pointer || "/"}, expected ${expected}, got ${got}${hint}`;
}

/** Whoever corrects these runs it again; more of them is a file that is no board file. */
export const MAX_TOLD = 20;

/** The first faults of a file, a line each, and how many more there are. */
export function formatFaults(file: string, faults: Fault[]): string[] {
  const told = faults.slice(0, MAX_TOLD).map((fault) => formatFault(file, fault));
  const rest = faults.length - told.length;
  return rest === 0 ? told : [...told, `${file}: … and ${rest} more`];
}

/** Of edits that are still taken for a slip: one for each so many letters of the name. */
const LETTERS_A_SLIP = 3;

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** The known name that `name` is a misspelling of, where there is one. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const most = (candidate: string) => Math.max(1, Math.ceil(candidate.length / LETTERS_A_SLIP));
  return known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= most(candidate))
    .map((candidate) => ({
      candidate,
      edits: distance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, edits }) => edits <= most(candidate))
    .sort((a, b) => a.edits - b.edits)[0]?.candidate;
}
