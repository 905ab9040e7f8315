import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { readText } from "../board/read-file.ts";

export const PASSPHRASE_VARIABLE = "COSEFLOW_PASSPHRASE";

/** Where people type: the process's own input and error output, or a test's. */
export interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream;
}

export const processTerminal = (): Terminal => ({ input: process.stdin, output: process.stderr });

/** One line, which the terminal does not show. Rejects at its end, or when it is interrupted: `what` is missing then. */
export function askHidden(
  question: string,
  { input, output }: Terminal,
  what = "passphrase",
): Promise<string> {
  // readline echoes to its output, so it is given one that shows nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  return new Promise<string>((resolve, reject) => {
    let answer: string | undefined;
    lines.once("line", (line) => {
      answer = line;
      lines.close();
    });
    lines.once("close", () => {
      output.write("\n");
      if (answer === undefined) reject(new Error(`${what}, expected one, got none`));
      else resolve(answer);
    });
    output.write(question);
  });
}

/** From the file, otherwise from the environment: on the command line every user would see it. */
function givenPassphrase(file: string | undefined): string | undefined {
  if (file !== undefined) return readText(file).replace(/\r?\n$/, "");
  return process.env[PASSPHRASE_VARIABLE];
}

function ask(question: string, terminal: Terminal): Promise<string> {
  if (!terminal.input.isTTY)
    throw new Error(
      "passphrase, expected one, got no terminal to ask at: " +
        `give --passphrase-file or ${PASSPHRASE_VARIABLE}`,
    );
  return askHidden(question, terminal);
}

/** The passphrase of a key that has one: given, or asked for. */
export async function readPassphrase(
  file: string | undefined,
  terminal = processTerminal(),
): Promise<string> {
  return givenPassphrase(file) ?? (await ask("Passphrase: ", terminal));
}

/** The passphrase of keys to be made: given, asked for twice with `isAsked`, otherwise none. */
export async function choosePassphrase(
  file: string | undefined,
  isAsked: boolean,
  terminal = processTerminal(),
): Promise<string | undefined> {
  const given = givenPassphrase(file);
  if (given !== undefined || !isAsked) return given;
  const first = await ask("Passphrase: ", terminal);
  const second = await ask("The same again: ", terminal);
  if (first !== second) throw new Error("passphrase, expected the same twice, got two");
  return first;
}
