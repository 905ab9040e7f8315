/**
 * Stands between tests and the device's code, and notes all that crosses: each call of a test into
 * it and each call it makes of what the test gave it, with arguments and outcome. Objects and
 * functions have numbers, so that it can be done again elsewhere.
 *
 *   ["c", function, [argument ...]]   a test calls the code, which ends with
 *   ["r", result] or ["t", message, code]
 *   ["s", object, [name, value ...]]  a test changes an object of which the code knows
 *   ["p", object, [name, function ...]]  the code has put functions into an object of a test's
 *   ["k", function, [argument ...]]   the code calls what the test gave it, which ends with
 *   ["v", result] or ["w", message, code]
 */

export type Coded = string | number | boolean | null | { [key: string]: Coded } | Coded[];
export type Line = Coded[];
type Side = "code" | "test";

/** Longer ones, parsed, would not fit beside the code in 4,095 variables. */
const LONGEST_LINE = 8000;
/** What is called after so many is counted and no more: each takes the interpreter milliseconds. */
const MOST_LINES = 20_000;
/** What is longer is the test's own, such as an image of flash. */
const LONGEST_ARRAY = 1024;
/** Objects that both sides hold are watched for what a test changes in them: the latest so many. */
const WATCHED = 64;
/** Strings with no more of them are written as they are; a control character takes six. */
const FEW = 1 / 10;

/** Something that the device cannot be told, such as a character above 255. */
class Unsaid extends Error {}

const other = (side: Side): Side => (side === "code" ? "test" : "code");
const isReference = (value: unknown): value is object =>
  typeof value === "function" || (typeof value === "object" && value !== null);

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function holdsFunctions(value: unknown, seen = new Set<unknown>()): boolean {
  if (typeof value === "function") return true;
  if (!isReference(value) || seen.has(value)) return false;
  seen.add(value);
  return (
    (isPlain(value) || Array.isArray(value)) &&
    Object.values(value).some((item) => holdsFunctions(item, seen))
  );
}

function codeText(text: string): Coded {
  let strange = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char > 255) throw new Unsaid();
    if (char < 32 || char > 126) strange++;
  }
  if (strange > text.length * FEW) return { b: Buffer.from(text, "latin1").toString("base64") };
  return text;
}

/** `device` names what of each file is on the device; tests call the rest unrecorded. */
export function createRecorder(device: { [module: string]: string[] }) {
  const lines: Line[] = [];
  const ids = new WeakMap<object, number>();
  const owners = new WeakMap<object, Side>();
  /** What the other side is given in a thing's place, and the other way round. */
  const standIns = new WeakMap<object, object>();
  const originals = new WeakMap<object, object>();
  const exported: { id: number; module: string; name: string }[] = [];
  let lastId = 0;
  let depth = 0;
  let muted = false;
  let isSpoilt = false;
  let unsaid = 0;

  /** With the values that the code last saw in them. */
  const watched: [object, { [key: string]: unknown }][] = [];
  function look(): void {
    for (const entry of watched) entry[1] = { ...entry[0] };
  }
  function noteChanges(): void {
    for (const entry of watched) {
      const [thing, seen] = entry;
      const changes = Object.entries(thing).filter(([key, value]) => seen[key] !== value);
      if (changes.length === 0) continue;
      entry[1] = { ...thing };
      const coded = changes.flatMap(([key, value]) => [key, code(value, "test")]);
      note(["s", ids.get(thing) as number, coded]);
    }
  }

  /** Tests call them as they call what the code returns. */
  function noteFunctions(): void {
    for (const [thing, seen] of watched) {
      if (owners.get(thing) !== "test") continue;
      const put: Coded[] = [];
      for (const [key, value] of Object.entries(thing)) {
        if (typeof value !== "function" || seen[key] === value) continue;
        const made = originals.get(value) ?? value;
        if (owners.get(made) === "test") continue;
        if (!ids.has(made)) put.push(key, code(made, "code"));
        (thing as { [key: string]: unknown })[key] = standIn(made, "code");
      }
      if (put.length > 0) note(["p", ids.get(thing) as number, put]);
    }
  }

  function identify(thing: object, owner: Side): number {
    ids.set(thing, ++lastId);
    owners.set(thing, owner);
    return lastId;
  }

  function code(value: unknown, from: Side, path: object[] = []): Coded {
    if (value === undefined) return null;
    if (value === null) return { z: 1 };
    if (typeof value === "string") return codeText(value);
    if (typeof value === "boolean") return value;
    if (typeof value === "number") return Number.isFinite(value) ? value : { n: `${value}` };
    if (!isReference(value)) throw new Unsaid();
    const thing = originals.get(value) ?? value;
    const known = ids.get(thing);
    if (known !== undefined && (owners.get(thing) !== from || path.includes(thing)))
      return { r: known };
    const i = known ?? identify(thing, from);
    if (typeof thing === "function") return { f: i };
    if (thing instanceof Error)
      return { i, e: codeText(thing.message), c: code((thing as { code?: string }).code, from) };
    if (thing instanceof Uint8Array && thing.length <= LONGEST_ARRAY)
      return { i, u: Buffer.from(thing).toString("base64") };
    const inside = [...path, thing];
    if (Array.isArray(thing)) return { i, a: thing.map((item) => code(item, from, inside)) };
    // A number is all that the device needs to know of what only the test can use.
    if (!isPlain(thing)) return { i, x: 1 };
    if (known === undefined) {
      watched.push([thing, { ...thing }]);
      if (watched.length > WATCHED) watched.shift();
    }
    const entries = Object.entries(thing).filter(([, item]) => item !== undefined);
    return { i, o: entries.flatMap(([key, item]) => [key, code(item, from, inside)]) };
  }

  function note(line: Line): void {
    const isFull = depth === 0 && lines.length >= MOST_LINES;
    if (isFull || JSON.stringify(line).length > LONGEST_LINE) throw new Unsaid();
    lines.push(line);
  }
  function noteEnd(make: () => Line): void {
    try {
      note(make());
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error;
      isSpoilt = true;
    }
  }

  const goHome = (value: unknown) => (isReference(value) ? (originals.get(value) ?? value) : value);

  function cross(run: (...values: unknown[]) => unknown, owner: Side, values: unknown[]): unknown {
    if (muted) return run(...values.map(goHome));
    const from = other(owner);
    const [call, back, failed] = owner === "code" ? ["c", "r", "t"] : ["k", "v", "w"];
    const start = lines.length;
    if (depth === 0) isSpoilt = false;
    try {
      const id = ids.get(run) ?? identify(run, owner);
      if (owner === "code") noteChanges();
      note([call as string, id, values.map((value) => code(value, from))]);
      if (owner === "test") look();
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error;
      if (depth > 0) isSpoilt = true;
      else unsaid++;
      muted = true;
      try {
        return run(...values.map(goHome));
      } finally {
        muted = false;
      }
    }
    depth++;
    try {
      const result = run(...values.map((value) => standIn(value, from)));
      noteEnd(() => {
        if (owner === "test") noteChanges();
        else noteFunctions();
        return [back as string, code(result, owner)];
      });
      if (owner === "code") look();
      return standIn(result, owner);
    } catch (error) {
      if (owner === "code") look();
      const { message, code: errorCode } = error as Error & { code?: string };
      noteEnd(() => [failed as string, codeText(`${message}`), code(errorCode, owner)]);
      throw error;
    } finally {
      depth--;
      if (depth === 0 && isSpoilt) {
        lines.length = start;
        unsaid++;
      }
    }
  }

  /** What the other side gets for a thing of `owner`'s; its own things come back as they were. */
  function standIn(value: unknown, owner: Side): unknown {
    if (!isReference(value)) return value;
    const known = originals.get(value) ?? standIns.get(value);
    if (known !== undefined) return known;
    if (!holdsFunctions(value)) return value;
    const made =
      typeof value === "function"
        ? (...values: unknown[]) => cross(value as (...values: unknown[]) => unknown, owner, values)
        : new Proxy(value, {
            get: (target, key) =>
              Object.hasOwn(target, key)
                ? standIn(Reflect.get(target, key), owner)
                : Reflect.get(target, key),
            set: (target, key, item) => Reflect.set(target, key, standIn(item, other(owner))),
          });
    standIns.set(value, made);
    originals.set(made, value);
    return made;
  }

  return {
    lines,
    exported,
    unsaid: () => unsaid,
    /** What a test gets for something that a file of the device's code exports. */
    record(module: string, name: string, value: unknown): unknown {
      if (typeof value !== "function" || !device[module]?.includes(name)) return value;
      exported.push({ id: identify(value, "code"), module, name });
      return standIn(value, "code");
    },
  };
}
