/** What commander says of a wrong command line, in the words of every other error: thing, expected, got. */

interface Wording {
  /** Commander's own sentence, without its "error: ". */
  pattern: RegExp;
  /** `help` is the command that explains it. */
  words: (found: string[], help: string) => string;
}

const hint = (nearest: string | undefined) =>
  nearest === undefined ? "" : `; did you mean ${nearest}?`;

/** A parser's own sentence as an expectation; one that says what it got keeps its words. */
function ofValue(thing: string, value: string, reason: string): string {
  const sentence = reason.replace(/\.$/, "");
  if (/, got /.test(sentence)) return `${thing}: ${sentence}`;
  const [, choices] = /^Allowed choices are (.*)$/.exec(sentence) ?? [];
  const [, before = sentence, nearest] = /^(.*?)\.? Did you mean (.*)\?$/.exec(sentence) ?? [];
  const expected = choices === undefined ? before : `expected one of ${choices}`;
  return `${thing}, ${expected}, got '${value}'${hint(nearest)}`;
}

const WORDINGS: Wording[] = [
  {
    pattern: /^unknown option '(.+?)'(?:\n\(Did you mean (.+)\?\))?$/s,
    words: ([flag, nearest], help) =>
      `option, expected one that ${help} lists, got ${flag}${hint(nearest)}`,
  },
  {
    pattern: /^unknown command '(.+?)'(?:\n\(Did you mean (.+)\?\))?$/s,
    words: ([name, nearest], help) =>
      `command, expected one that ${help} lists, got ${name}${hint(nearest)}`,
  },
  {
    pattern: /^missing required argument '(.+)'$/s,
    words: ([name]) => `argument <${name}>, expected a value, got none`,
  },
  {
    pattern: /^option '(.+)' argument missing$/s,
    words: ([flags]) => `option ${flags}, expected a value, got none`,
  },
  {
    pattern: /^required option '(.+)' not specified$/s,
    words: ([flags]) => `option ${flags}, expected it, got none`,
  },
  {
    pattern: /^option '(.+?)' argument '(.*?)' is invalid\. (.+)$/s,
    words: ([flags, value, reason]) => ofValue(`option ${flags}`, `${value}`, `${reason}`),
  },
  {
    pattern: /^command-argument value '(.*)' is invalid for argument '(.+?)'\. (.+)$/s,
    words: ([value, name, reason]) => ofValue(`argument <${name}>`, `${value}`, `${reason}`),
  },
  {
    pattern: /^option '(.+)' cannot be used with option '(.+)'$/s,
    words: ([flags, other]) => `option ${flags}, expected without ${other}, got both`,
  },
  {
    pattern: /^too many arguments.*\. Expected (\d+) arguments? but got (\d+)\.$/s,
    words: ([most, got]) => `arguments, expected at most ${most}, got ${got}`,
  },
];

/** In one line, without the name of the program. `path` is the command that was typed, with those above it. */
export function inHouseWords(text: string, path: string): string {
  const sentence = text.replace(/^error: /, "").trimEnd();
  for (const { pattern, words } of WORDINGS) {
    const found = pattern.exec(sentence);
    if (found !== null) return oneLine(words(found.slice(1), `\`${path} --help\``));
  }
  return oneLine(sentence);
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ");

/** As other failures, on standard error; a line of JSON for programs. */
export function usageLine(words: string, asJson: boolean): string {
  return asJson ? `${JSON.stringify({ kind: "usage", error: words })}\n` : `coseflow: ${words}\n`;
}
