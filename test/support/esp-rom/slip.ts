const END = 0xc0;
const ESCAPE = 0xdb;
const ESCAPED_END = 0xdc;
const ESCAPED_ESCAPE = 0xdd;

/** Bytes as one frame of the Serial Line Internet Protocol. */
export function frame(bytes: Uint8Array): Uint8Array {
  const escaped = [...bytes].flatMap((byte) => {
    if (byte === END) return [ESCAPE, ESCAPED_END];
    return byte === ESCAPE ? [ESCAPE, ESCAPED_ESCAPE] : [byte];
  });
  return Uint8Array.from([END, ...escaped, END]);
}

/** Frames out of bytes as they come. */
export function createUnframer(onFrame: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  let pending: number[] | undefined;
  let escaping = false;
  return (bytes) => {
    for (const byte of bytes) {
      if (byte === END) {
        if (pending !== undefined && pending.length > 0) onFrame(Uint8Array.from(pending));
        pending = [];
      } else if (pending === undefined) continue;
      else if (escaping) {
        pending.push(byte === ESCAPED_END ? END : ESCAPE);
        escaping = false;
      } else if (byte === ESCAPE) escaping = true;
      else pending.push(byte);
    }
  };
}
