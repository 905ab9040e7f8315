import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const CHUNK = 16 * 1024 * 1024;

/**
 * How often each pattern occurs in the memory of another process (Linux). Patterns
 * of up to 64 bytes; every readable mapping is searched.
 */
export function countInMemory(pid: number, patterns: Buffer[]): number[] {
  const counts = patterns.map(() => 0);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const [from, to] of readableMappings(pid))
      forEachChunk(memory, from, to, (chunk, isNew) => {
        patterns.forEach((pattern, i) => {
          counts[i] = (counts[i] ?? 0) + countIn(chunk, pattern, isNew);
        });
      });
  } finally {
    closeSync(memory);
  }
  return counts;
}

function readableMappings(pid: number): [number, number][] {
  const lines = readFileSync(`/proc/${pid}/maps`, "utf8").trim().split("\n");
  return lines
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) (r)?/.exec(line))
    .filter((match) => match?.[3] === "r")
    .map((match) => [Number.parseInt(match?.[1] ?? "", 16), Number.parseInt(match?.[2] ?? "", 16)]);
}

/** Chunks overlap by 64 bytes; what lies wholly in the first `OVERLAP` was seen before. */
const OVERLAP = 64;

function forEachChunk(
  memory: number,
  from: number,
  to: number,
  visit: (chunk: Buffer, overlap: number) => void,
): void {
  const buffer = Buffer.alloc(CHUNK);
  let overlap = 0;
  for (let at = from; at < to; ) {
    const size = readSome(memory, buffer, Math.min(CHUNK, to - at), at);
    if (size <= overlap) return;
    visit(buffer.subarray(0, size), overlap);
    at += size;
    if (at >= to) return;
    overlap = Math.min(OVERLAP, size);
    at -= overlap;
  }
}

/** 0 for mappings that the kernel does not let anyone read, such as [vvar]. */
function readSome(memory: number, buffer: Buffer, size: number, at: number): number {
  try {
    return readSync(memory, buffer, 0, size, at);
  } catch {
    return 0;
  }
}

function countIn(chunk: Buffer, pattern: Buffer, overlap: number): number {
  let count = 0;
  for (let at = chunk.indexOf(pattern); at >= 0; at = chunk.indexOf(pattern, at + 1))
    if (at + pattern.length > overlap) count++;
  return count;
}
