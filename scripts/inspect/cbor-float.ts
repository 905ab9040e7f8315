/** A half-precision number (RFC 8949 appendix D): 1 bit sign, 5 bits exponent, 10 bits fraction. */
function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}

/** The number of a float's argument; `info` 25, 26 and 27 are 2, 4 and 8 bytes. */
export function decodeFloat(info: number, argument: bigint): number {
  if (info === 25) return decodeHalf(Number(argument));
  const buffer = Buffer.alloc(8);
  if (info === 26) {
    buffer.writeUInt32BE(Number(argument));
    return buffer.readFloatBE();
  }
  buffer.writeBigUInt64BE(argument);
  return buffer.readDoubleBE();
}
