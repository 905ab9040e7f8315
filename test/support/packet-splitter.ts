/** Cuts a stream into packets, bytes as they came. */
export function createSplitter(): (data: Buffer) => Buffer[] {
  let waiting = Buffer.alloc(0);

  /** Bytes of the packet at the front; 0 while its length has not arrived. */
  function sizeOfFirst(): number {
    let length = 0;
    for (let at = 1, scale = 1; at <= 4; at++, scale *= 128) {
      const byte = waiting[at];
      if (byte === undefined) return 0;
      length += (byte & 127) * scale;
      if (byte < 128) return at + 1 + length;
    }
    throw new Error("remaining length, expected up to 4 bytes, got more");
  }

  return (data) => {
    waiting = Buffer.concat([waiting, data]);
    const packets: Buffer[] = [];
    for (let size = sizeOfFirst(); size > 0 && waiting.length >= size; size = sizeOfFirst()) {
      packets.push(waiting.subarray(0, size));
      waiting = waiting.subarray(size);
    }
    return packets;
  };
}
