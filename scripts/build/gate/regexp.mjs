/**
 * Espruino's regular expressions know characters, `.`, sets, `*` and `+` after one of
 * these, `^`, `$`, groups that only capture, and `|` outside groups. All else is
 * taken literally or throws when it is run. Gives what is wrong, if anything.
 */
export function regexpFault({ pattern, flags }) {
  if (/[^gi]/.test(flags)) return "regular expressions there know the flags g and i only";
  const fault = FAULTS.find(([form]) => form.test(withoutSets(pattern)));
  return fault && `regular expressions there have no ${fault[1]}`;
}

const FAULTS = [
  [/\(\?/, "lookaround, named or non-capturing group"],
  [/\?/, "optional or lazy quantifier"],
  [/\{/, "counted quantifier"],
  [/\)[*+]/, "repeated group"],
  [/\([^)]*\|/, "alternative inside a group"],
  [/\\[1-9bBkpPuc]/, "backreference, word boundary or such escape"],
];

/** The pattern with sets as one letter and escaped characters that only stand for themselves gone. */
function withoutSets(pattern) {
  return pattern.replace(/\\[^\w]/g, "x").replace(/\[(?:\\.|[^\]\\])*\]/g, "x");
}
