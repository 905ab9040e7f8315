/**
 * Espruino's regular expressions know characters, `.`, sets, `*` and `+` after one of
 * these, `^`, `$`, groups that only capture, and `|` outside groups. All else is
 * taken literally or throws when it is run.
 */
export function regexpFault({ pattern, flags }) {
  if (/[^gi]/.test(flags)) return `flag of /${pattern}/${flags}`;
  const fault = FAULTS.find(([form]) => form.test(withoutSets(pattern)));
  return fault?.[1];
}

const FAULTS = [
  [/\(\?/, "lookaround, named or non-capturing group"],
  [/\?/, "optional or lazy quantifier"],
  [/\{/, "counted quantifier"],
  [/\)[*+]/, "repeated group"],
  [/\([^)]*\|/, "alternative inside a group"],
  [/\\[1-9bBkpPuc]/, "backreference, boundary or escape Espruino does not know"],
];

/** The pattern with sets as one letter and escaped characters that only stand for themselves gone. */
function withoutSets(pattern) {
  return pattern.replace(/\\[^\w]/g, "x").replace(/\[(?:\\.|[^\]\\])*\]/g, "x");
}
