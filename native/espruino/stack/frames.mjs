/**
 * How deep the interpreter is when a program calls the core: chains of functions, as
 * chains.py writes them, and the frames that a compiler laid down for them
 * (-fstack-usage) for the chip's instruction set.
 */

/** From Espruino's event loop to the core: of an ESP32-C3's 15,000 bytes, which the core shares. */
export const DEPTH_BUDGET = 9 * 1024;

/** What the compiler adds to the name of a function that it has split or specialised. */
const VARIANT = /\.(?:isra|constprop|part|cold)(?:\.\d+)*/g;
const plain = (name) => name.replace(VARIANT, "");

/** { <function>: bytes } from the texts of .su files; of namesakes the largest. */
export function readFrames(texts) {
  const frames = new Map();
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    const [place, bytes] = line.split("\t");
    if (bytes === undefined) continue;
    const name = plain(place.slice(place.lastIndexOf(":") + 1));
    frames.set(name, Math.max(frames.get(name) ?? 0, Number(bytes)));
  }
  return frames;
}

/**
 * { depths: { <core function>: bytes above it }, unknown: [names] }: the deepest chain
 * counts. A function without a frame of its own was put into its caller, or was not compiled.
 */
export function measureDepths(chains, frames) {
  const depths = {};
  const unknown = new Set();
  for (const chain of chains.trim().split("\n")) {
    const [entry, ...above] = chain.split(" ").map(plain);
    let depth = 0;
    for (const name of above) {
      if (!frames.has(name)) unknown.add(name);
      depth += frames.get(name) ?? 0;
    }
    depths[entry] = Math.max(depths[entry] ?? 0, depth);
  }
  if (Object.values(depths).every((depth) => depth === 0))
    throw new Error("chains, expected some with known frames, got none");
  return { depths, unknown: [...unknown].sort() };
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/** The record as a Markdown table, deepest first. */
export function depthTable({ depths }) {
  const rows = Object.entries(depths).sort(([, a], [, b]) => b - a);
  return [
    "| called from JavaScript | bytes of stack above it |",
    "|---|---:|",
    ...rows.map(([name, depth]) => `| \`${name}\` | ${grouped(depth)} |`),
  ].join("\n");
}

const TABLE = /(<!-- depths -->\n)[\s\S]*?(<!-- end of depths -->)/;

/** The document with the table of this record in its place. */
export function withDepths(document, record) {
  if (!TABLE.test(document)) throw new Error("README, expected the place for the depths, got none");
  return document.replace(TABLE, (_, start, end) => `${start}\n${depthTable(record)}\n\n${end}`);
}
