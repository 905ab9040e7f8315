import { createLineReader } from "./console-text.ts";
import { BAUD_RATE, type Port, pause, readToItsEnd } from "./port.ts";

/** An open console of Espruino: lines that come, and questions that are answered. */
export interface Console {
  /** Sends text as it is. */
  send(text: string): Promise<void>;
  /** The next line, from those not waited for yet, that matches; undefined when the time is over. */
  line(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray | undefined>;
  /** What an expression is on the device: a value of JSON. Rejects with ConsoleSilent or DeviceError. */
  ask(expression: string): Promise<unknown>;
  /** Forgets the lines that have come. */
  forget(): void;
  /** Whether the port ended by itself. */
  readonly isLost: boolean;
  close(): Promise<void>;
}

/** No answer, however often it was asked. */
export class ConsoleSilent extends Error {}
/** The device threw an error. Only its own message is kept, no line of code. */
export class DeviceError extends Error {}
/** The port is gone. */
export class ConsoleLost extends Error {}

/** Interrupts what runs. Two within five seconds end an Espruino on Linux, so it is sent once. */
const CTRL_C = "\x03";
const CTRL_C_ATTEMPT = 2;
/** Drops a line that was begun: by noise, or by a person. */
const CLEAR_LINE = "\x1b[2H";
/** At the start of a line: it is not echoed. */
const NO_ECHO = "\x10";
const ATTEMPTS = 4;
/** Longer than erasing and writing flash for one piece takes. */
const ANSWER_MS = 3000;
/** How often a wait looks whether there is something to see. */
const LOOK_MS = 5;
/** XOFF without an XON is noise: the device's buffer is empty long before. */
const LONGEST_PAUSE_MS = 2000;
/** Lines that nobody asked for are dropped, the oldest first. */
const MAX_LINES = 1000;

export interface ConsoleOptions {
  answerMs?: number;
  onLine?: (line: string) => void;
}

/**
 * Opens the console. The lines for reset and loader are let go first, together: one
 * after the other would reset many boards.
 */
export async function openConsole(port: Port, options: ConsoleOptions = {}): Promise<Console> {
  await port.open({ baudRate: BAUD_RATE });
  await port.setSignals({ dataTerminalReady: false, requestToSend: false }).catch(() => {});
  const lines: string[] = [];
  let lost = false;
  let closing = false;
  let question = 0;
  const input = createLineReader((line) => {
    lines.push(line);
    if (lines.length > MAX_LINES) lines.shift();
    options.onLine?.(line);
  });
  const reader = (port.readable as ReadableStream<Uint8Array>).getReader();
  const reading = readAll();

  async function readAll(): Promise<void> {
    await readToItsEnd(reader, (bytes) => input.take(bytes));
    lost = !closing;
    reader.releaseLock();
  }

  async function send(text: string): Promise<void> {
    const until = Date.now() + LONGEST_PAUSE_MS;
    while (input.isPaused() && Date.now() < until && !lost) await pause(LOOK_MS);
    if (lost || port.writable === null)
      throw new ConsoleLost("port, expected it open, got its end");
    const writer = port.writable.getWriter();
    try {
      await writer.write(new TextEncoder().encode(text));
    } catch {
      throw new ConsoleLost("port, expected it to be written, got its end");
    } finally {
      writer.releaseLock();
    }
  }

  async function line(pattern: RegExp, milliseconds: number): Promise<RegExpExecArray | undefined> {
    const until = Date.now() + milliseconds;
    for (;;) {
      while (lines.length > 0) {
        const found = pattern.exec(lines.shift() as string);
        if (found !== null) return found;
      }
      if (lost || Date.now() >= until) return undefined;
      await pause(LOOK_MS);
    }
  }

  async function once(expression: string): Promise<RegExpExecArray | undefined> {
    question += 1;
    // In two parts, so that an echo of the command is not taken for the answer.
    const mark = `"<#"+"${question}`;
    const command = `try{print(${mark} "+JSON.stringify(${expression})+"#>")}catch(e){print(${mark}!"+(e&&e.message||e)+"#>")}`;
    await send(`${CLEAR_LINE}${NO_ECHO}${command}\n`);
    return line(new RegExp(`<#${question}([ !])(.*)#>`), options.answerMs ?? ANSWER_MS);
  }

  return {
    send,
    line,
    async ask(expression) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt === CTRL_C_ATTEMPT) await send(CTRL_C);
        const answer = await once(expression);
        const value = answer && parse(answer[1] as string, answer[2] as string);
        if (value !== undefined) return value.value;
        if (lost) throw new ConsoleLost("port, expected it to stay, got its end");
      }
      throw new ConsoleSilent("console, expected an answer, got none");
    },
    forget() {
      lines.length = 0;
    },
    get isLost() {
      return lost;
    },
    async close() {
      closing = true;
      if (!lost) await reader.cancel().catch(() => {});
      await reading;
      await port.close().catch(() => {});
    },
  };
}

/** An answer that noise has touched is none. */
function parse(kind: string, text: string): { value: unknown } | undefined {
  if (kind === "!") throw new DeviceError(text);
  try {
    return { value: text === "undefined" ? undefined : JSON.parse(text) };
  } catch {
    return undefined;
  }
}
