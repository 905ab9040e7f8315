import type { Console } from "../flash/console.ts";

/** A line that is not sent, and why. */
export type Refusal = string | undefined;

/** What a board keeps that nobody is to read out over a console, and a terminal is to keep. */
const SECRET_PLACES: [RegExp, string][] = [
  [/coseflow\.json/i, "it names the settings, which hold passwords"],
  [
    /\bE\s*\.\s*(?:memoryArea|memoryMap|nativeCall|dumpVariables)\b/,
    "it reads memory, which may hold keys",
  ],
  [/\b(?:peek|poke)(?:8|16|32)\b/, "it reads or changes memory, which may hold keys"],
  [/\btrace\s*\(/, "it prints every variable, passwords too"],
  [/\brequire\s*\(\s*["']Flash["']\s*\)/, "it reads or changes flash, which may hold keys"],
  [/\bdump\s*\(/, "it prints what is in memory"],
];

/**
 * Keeps a person from showing a secret by accident: it would stand on the screen, and in
 * the log of whoever records it. Whoever wants one from a board with an open console has
 * other programs; that is why a console can be locked.
 */
export function refusalOf(line: string, secrets: string[]): Refusal {
  const place = SECRET_PLACES.find(([pattern]) => pattern.test(line));
  if (place !== undefined) return place[1];
  if (secrets.some((secret) => line.includes(secret))) return "it holds a secret of the settings";
  return undefined;
}

/** The strings that a settings file keeps under the names of secrets. */
export function secretsOf(settings: unknown): string[] {
  if (typeof settings !== "object" || settings === null) return [];
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value !== "string") return secretsOf(value);
    return /^(?:password|claim)$/.test(name) && value !== "" ? [value] : [];
  });
}

/** A board's text without the secrets that are known. */
export function hideSecrets(text: string, secrets: string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, "***"), text);
}

const NO_ECHO = "\x10";
const CLEAR_LINE = "\x1b[2H";
/** A line that runs for longer has lost its end: a bracket is open, or it never ends. */
const LINE_MS = 10_000;

/** Runs one line as typed; its output, or undefined where it came to no end. */
export function createLineRunner(console: Console, onLine: (line: string) => void) {
  let count = 0;
  return async function run(line: string): Promise<boolean> {
    count += 1;
    const end = `cf-end-${count}`;
    console.forget();
    await console.send(`${CLEAR_LINE}${line}\n${NO_ECHO}print("cf-"+"end-${count}")\n`);
    let echoed = false;
    const until = Date.now() + LINE_MS;
    for (;;) {
      const found = await console.line(/^.*$/, until - Date.now());
      if (found === undefined) {
        await console.send(`\x03${CLEAR_LINE}`);
        return false;
      }
      const text = found[0].replace(/^>/, "");
      if (text.includes(end)) return true;
      if (!echoed && text.trim() === line.trim()) echoed = true;
      else onLine(text);
    }
  };
}
