/** MD5 (RFC 1321). Browsers have none, and the chip's loader has no other sum over its flash. */
const BLOCK = 64;
/** How far each step turns: four for each of the four rounds, again and again. */
const TURNS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
/** Which word of the block a step of a round takes: factor and summand, modulo 16. */
const ORDER = [
  [1, 0],
  [5, 1],
  [3, 5],
  [7, 0],
] as const;
const SINES = Array.from({ length: BLOCK }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32),
);

function mix(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (d & b) | (~d & c);
  return round === 2 ? b ^ c ^ d : c ^ (b | ~d);
}

/** The bytes with a one, zeros, and their length in bits: whole blocks. */
function pad(bytes: Uint8Array): DataView {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n, true);
  return view;
}

/** In hexadecimal digits. */
export function md5(bytes: Uint8Array): string {
  const view = pad(bytes);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let at = 0; at < view.byteLength; at += BLOCK) {
    let [a, b, c, d] = state as unknown as [number, number, number, number];
    for (let step = 0; step < BLOCK; step++) {
      const round = step >> 4;
      const [factor, summand] = ORDER[round] as (typeof ORDER)[number];
      const word = view.getUint32(at + ((step * factor + summand) & 15) * 4, true);
      const sum = (a + mix(round, b, c, d) + (SINES[step] as number) + word) | 0;
      const turn = (TURNS[round] as (typeof TURNS)[number])[step & 3] as number;
      [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0];
    }
    for (const [index, value] of [a, b, c, d].entries()) (state[index] as number) += value;
  }
  const digest = new DataView(new ArrayBuffer(16));
  for (const [index, value] of state.entries()) digest.setUint32(index * 4, value, true);
  return Array.from({ length: 16 }, (_, at) =>
    digest.getUint8(at).toString(16).padStart(2, "0"),
  ).join("");
}
