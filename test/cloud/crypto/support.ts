import type { Bytes } from "../../../protocol/bytes.ts";
import type { CoseflowError } from "../../../protocol/errors.ts";

/** The code of what the action throws; "none" when it throws nothing. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as CoseflowError).code ?? String(error);
  }
  return "none";
}

/** The same for what the action's promise rejects with. */
export async function codeOfAsync(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    return (error as CoseflowError).code ?? String(error);
  }
  return "none";
}

/** The value with one bit turned, counted from the most significant bit of the first byte. */
export function flipBit(value: Bytes, bit: number): Bytes {
  const buffer = Buffer.from(value, "latin1");
  const at = bit >> 3;
  buffer[at] = (buffer[at] as number) ^ (0x80 >> (bit & 7));
  return buffer.toString("latin1") as Bytes;
}
