/** XON and XOFF of Espruino's flow control. */
const XON = "\x11";
const XOFF = "\x13";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the interpreter's terminal codes
const TERMINAL = /\x1b\[[0-9;?]*[A-Za-z]|[\r\x07\b\x11\x13]/g;
/** A line is no longer than this: a board that sends noise must not fill our memory. */
const MAX_LINE = 16_384;

/** Bytes of a console as lines, without terminal codes and flow control. */
export interface LineReader {
  /** Takes what has come; calls back for each line that is whole. */
  take(bytes: Uint8Array): void;
  /** What stands after the last line's end. */
  rest(): string;
  /** Whether the other side has asked to wait. */
  isPaused(): boolean;
}

export function createLineReader(onLine: (line: string) => void): LineReader {
  const decoder = new TextDecoder("latin1");
  let pending = "";
  let paused = false;
  const clean = (text: string) => text.replace(TERMINAL, "");
  return {
    take(bytes) {
      const text = decoder.decode(bytes);
      const last = Math.max(text.lastIndexOf(XON), text.lastIndexOf(XOFF));
      if (last >= 0) paused = text[last] === XOFF;
      const lines = (pending + text).split("\n");
      pending = (lines.pop() ?? "").slice(-MAX_LINE);
      for (const line of lines) onLine(clean(line).replace(/^>/, ""));
    },
    rest: () => clean(pending),
    isPaused: () => paused,
  };
}
