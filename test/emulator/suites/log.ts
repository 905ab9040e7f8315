/**
 * A recording made ready for the device: what it need not remember has no number, and of a function
 * that nobody calls it need only know that it is one.
 */
import type { Coded, Line } from "./recorder.ts";

export interface Log {
  /** Each line has one more element: the numbers that are not needed after it. */
  lines: Line[];
  exported: { id: number; module: string; name: string }[];
  calls: number;
  callbacks: number;
  /** Calls left out, since the device cannot be told of them. */
  unsaid: number;
}

/** Lines that name something of the other side. */
const NUMBERED = ["c", "s", "p"];
const CALLS = ["c", "k"];

type Visit = (holder: { [key: string]: Coded }, key: "i" | "f" | "r") => void;

function walk(value: Coded, visit: Visit): void {
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
    return;
  }
  for (const key of ["i", "f", "r"] as const) if (key in value) visit(value, key);
  for (const key of ["o", "a", "c", "e"]) if (key in value) walk(value[key] as Coded, visit);
}

export function finish(lines: Line[], exports: Log["exported"], unsaid: number): Log {
  const called = new Set(exports.map(({ id }) => id));
  for (const line of lines) {
    if (CALLS.includes(line[0] as string)) called.add(line[1] as number);
    walk(line, (holder, key) => {
      if (key === "r") called.add(holder.r as number);
    });
  }
  for (const line of lines)
    walk(line, (holder, key) => {
      if (key !== "f" || called.has(holder.f as number)) return;
      delete holder.f;
      holder.d = 1;
    });
  const last = new Map<number, number>();
  const uses = new Map<number, number>();
  function use(id: number, at: number): void {
    last.set(id, at);
    uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  for (const [at, line] of lines.entries()) {
    if (NUMBERED.includes(line[0] as string)) use(line[1] as number, at);
    walk(line, (holder, key) => use(holder[key] as number, at));
  }
  const exported = exports.filter(({ id }) => uses.has(id));
  const kept = new Set(exported.map(({ id }) => id));
  for (const [at, line] of lines.entries()) {
    const over = new Set<number>();
    if (NUMBERED.includes(line[0] as string)) over.add(line[1] as number);
    walk(line, (holder, key) => {
      const id = holder[key] as number;
      if (uses.get(id) !== 1) over.add(id);
      else if (key === "i") delete holder.i;
      else if (key === "f") {
        holder.g = id;
        delete holder.f;
      }
    });
    line.push([...over].filter((id) => last.get(id) === at && !kept.has(id)));
  }
  const count = (kind: string) => lines.filter(([first]) => first === kind).length;
  return { lines, exported, calls: count("c"), callbacks: count("k"), unsaid };
}

/** As the player reads it: each line after its length, in ASCII. */
export function toText(lines: Log["lines"]): string {
  return [...lines, ["e"]]
    .map((line) => {
      const text = JSON.stringify(line).replace(
        /[\x7f-\xff]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
      return `${text.length}`.padStart(5, "0") + text;
    })
    .join("");
}
