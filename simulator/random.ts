/**
 * Espruino's own generator behind Math.random and E.hwRand: two multiply-with-carry
 * halves from constant seeds (src/jsutils.c), so every boot gives the same numbers.
 * It is simulated faithfully because nothing may ever depend on it.
 */
export function createEspruinoRandom(): () => number {
  let w = 0xdeadbeef;
  let z = 0xcafebabe;
  return () => {
    z = (36969 * (z & 65535) + (z >>> 16)) >>> 0;
    w = (18000 * (w & 65535) + (w >>> 16)) >>> 0;
    return ((z << 16) + w) & 0x7fffffff;
  };
}
