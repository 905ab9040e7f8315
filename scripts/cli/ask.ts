import { createInterface } from "node:readline";
import type { Terminal } from "./passphrase.ts";

export interface Question<T> {
  /** What the option has given: then nothing is asked. */
  given: T | undefined;
  /** The option, for where there is no terminal. */
  option: string;
  question: string;
  /** For an empty answer. */
  usual?: string;
  /** Throws for an answer that does not hold: it is asked again. */
  parse: (answer: string) => T;
}

function askLine(question: string, { input, output }: Terminal): Promise<string> {
  const lines = createInterface({ input, output });
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    lines.once("close", () => {
      if (isAnswered) return;
      output.write("\n");
      reject(new Error("answer, expected one, got the end of the input"));
    });
    lines.question(question, (answer) => {
      isAnswered = true;
      resolve(answer.trim());
      lines.close();
    });
  });
}

/** A given value, or an answer that holds. At no terminal it says which option is missing. */
export async function obtain<T>(asked: Question<T>, terminal: Terminal): Promise<T> {
  const { given, option, question, usual = "", parse } = asked;
  if (given !== undefined) return given;
  if (!terminal.input.isTTY) throw new Error(`${option}, expected it, got no terminal to ask at`);
  for (;;) {
    const answer = await askLine(`${question}${usual ? ` [${usual}]` : ""}: `, terminal);
    try {
      return parse(answer || usual);
    } catch (error) {
      terminal.output.write(`${(error as Error).message}\n`);
    }
  }
}
