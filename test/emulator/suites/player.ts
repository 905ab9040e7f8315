/**
 * Does a recording again, in Espruino: calls the code as the tests did, answers its calls as they
 * did, and stops at the first thing that is otherwise. Written in the language of the device.
 */

type Thing = { [key: string]: unknown } & unknown[] & ((...values: unknown[]) => unknown);
type Coded = string | number | boolean | null | Marked;
/** test/emulator/suites/recorder.ts makes them. */
interface Marked {
  z?: 1;
  n?: string;
  b?: string;
  u?: string;
  r?: number;
  f?: number;
  g?: number;
  d?: 1;
  i?: number;
  x?: 1;
  e?: Coded;
  c?: Coded;
  a?: Coded[];
  o?: Coded[];
}
/** What it is, and what else depends on that: the last is what need not be remembered. */
type Line = [kind: string, ...rest: never[]];

interface File {
  read(length: number): string;
}

export interface PlayerOptions {
  /** Lines of JSON, each after its length in five digits. */
  file: File;
  print(text: string): void;
  /** Byte string of base64, and from and to Uint8Array. */
  fromBase64(text: string): string;
  toArray(bytes: string): Uint8Array;
  fromArray(array: Uint8Array): string;
  /** How many are in use. */
  variables(): number;
}

const DIGITS = 5;
const ROUNDING = 1e-12;

/** `things` holds, by number, what the code exports. Prints "played ..., <number> variables left" or "differs ...". */
export function play(things: { [id: number]: unknown }, options: PlayerOptions): void {
  const file = options.file;
  let count = 0;
  let isOver = false;

  function differ(what: string): never {
    if (!isOver) options.print(`differs at line ${count}: ${what}`);
    isOver = true;
    throw new Error("differs");
  }
  function read(): Line {
    if (isOver) throw new Error("differs");
    count++;
    return JSON.parse(file.read(parseInt(file.read(DIGITS), 10)));
  }
  function forget(ids: number[]): void {
    ids.forEach((id) => {
      delete things[id];
    });
  }
  function show(value: unknown): string {
    return (typeof value === "string" ? btoa(value) : `${typeof value} ${value}`).substr(0, 200);
  }

  function uncalled(): void {
    differ("the code calls a function of the test that it did not call");
  }
  function keep(id: number | undefined, thing: unknown): unknown {
    if (id !== undefined) things[id] = thing;
    return thing;
  }
  function makeError(message: unknown, code: unknown): Error {
    const error = new Error(message as string) as Error & { code?: unknown };
    if (code !== undefined) error.code = code;
    return error;
  }

  /** A value as the tests gave it. What has a number is changed in place when it comes again. */
  function make(coded: Coded): unknown {
    if (coded === null) return undefined;
    if (typeof coded !== "object") return coded;
    if (coded.z) return null;
    if (coded.n) return parseFloat(coded.n);
    if (coded.b !== undefined) return options.fromBase64(coded.b);
    if (coded.r !== undefined) return things[coded.r];
    if (coded.d) return uncalled;
    if (coded.f !== undefined || coded.g !== undefined) return makeFunction(coded);
    const id = coded.i;
    if (coded.u !== undefined) return keep(id, options.toArray(options.fromBase64(coded.u)));
    if (coded.e !== undefined) return keep(id, makeError(make(coded.e), make(coded.c || null)));
    if (coded.a) return makeList(coded.a, keep(id, (id && things[id]) || []) as unknown[]);
    return makeObject(coded.o || [], keep(id, (id && things[id]) || {}) as Thing);
  }
  function makeList(items: Coded[], list: unknown[]): unknown[] {
    list.splice(0, list.length);
    items.forEach((item) => {
      list.push(make(item));
    });
    return list;
  }
  function makeObject(entries: unknown[], object: Thing): Thing {
    Object.keys(object).forEach((key) => {
      if (entries.indexOf(key) < 0) delete object[key as never];
    });
    for (let i = 0; i < entries.length; i += 2)
      object[entries[i] as never] = make(entries[i + 1] as Coded) as never;
    return object;
  }
  function makeFunction(coded: { f?: number; g?: number }): unknown {
    const id = coded.f === undefined ? coded.g : coded.f;
    if (id !== undefined && things[id]) return things[id];
    function answer(): unknown {
      // biome-ignore lint/complexity/noArguments: Espruino has no rest parameters
      const values = arguments as unknown as unknown[];
      const line = next();
      if (line[0] !== "k" || line[1] !== id) differ(`the code calls function ${id} of the test`);
      matchList(line[2] as unknown as Coded[], values, "argument ");
      forget(line[3] as never);
      return run();
    }
    return keep(coded.f, answer);
  }

  /** Decimals are read one unit off here, and what is calculated from them is too. */
  function isClose(wanted: unknown, value: unknown): boolean {
    if (typeof wanted !== "number" || typeof value !== "number") return false;
    if (wanted % 1 === 0 && value % 1 === 0) return false;
    return Math.abs(wanted - value) <= Math.abs(wanted) * ROUNDING;
  }

  /** Refuses what is not as recorded; numbers go to what the code has made. */
  function match(coded: Coded, value: unknown, where: string): void {
    if (coded === null || typeof coded !== "object") {
      const wanted = coded === null ? undefined : coded;
      if (value !== wanted && !isClose(wanted, value))
        differ(`${where}, expected ${show(wanted)}, got ${show(value)}`);
      return;
    }
    if (coded.b !== undefined || coded.n || coded.z || coded.u !== undefined) {
      const wanted = make(coded);
      const bytes = coded.u === undefined ? value : options.fromArray(value as Uint8Array);
      const same = coded.u === undefined ? wanted : options.fromBase64(coded.u);
      if (bytes !== same && String(bytes) !== "NaN")
        differ(`${where}, expected ${show(same)}, got ${show(bytes)}`);
      return;
    }
    if (coded.r !== undefined) {
      if (things[coded.r] !== value) differ(`${where}, expected thing ${coded.r}, got another`);
      return;
    }
    if (coded.f !== undefined || coded.g !== undefined || coded.d) {
      if (typeof value !== "function") differ(`${where}, expected a function, got ${show(value)}`);
      keep(coded.f, value);
      return;
    }
    if (typeof value !== "object") differ(`${where}, expected an object, got ${show(value)}`);
    keep(coded.i, value);
    if (coded.e !== undefined) match(coded.e, (value as Error).message, `${where}.message`);
    else if (coded.a) matchList(coded.a, value as unknown[], `${where} `);
    else if (coded.o) matchObject(coded.o, value as Thing, `${where}.`);
  }
  function matchList(wanted: Coded[], list: unknown[], where: string): void {
    if (list.length !== wanted.length)
      differ(`${where}count, expected ${wanted.length}, got ${list.length}`);
    wanted.forEach((item, i) => {
      match(item, list[i], where + i);
    });
  }
  function matchObject(entries: unknown[], object: Thing, where: string): void {
    for (let i = 0; i < entries.length; i += 2)
      match(entries[i + 1] as Coded, object[entries[i] as never], where + entries[i]);
    Object.keys(object).forEach((key) => {
      if (object[key as never] !== undefined && entries.indexOf(key) < 0)
        differ(`${where + key}, expected none, got ${show(object[key as never])}`);
    });
  }

  /** The next line but what test and code change in the test's objects, which is changed and looked at. */
  function next(): Line {
    let line = read();
    while (line[0] === "s" || line[0] === "p") {
      const object = things[line[1] as unknown as number] as Thing;
      const entries = line[2] as unknown as unknown[];
      for (let i = 0; i < entries.length; i += 2) {
        const key = entries[i] as never;
        const coded = entries[i + 1] as Coded;
        if (line[0] === "s") object[key] = make(coded) as never;
        else match(coded, object[key], key);
      }
      forget(line[3] as never);
      line = read();
    }
    return line;
  }

  function call(line: Line): void {
    const values = (line[2] as unknown as Coded[]).map(make);
    const target = things[line[1] as unknown as number] as Thing;
    forget(line[3] as never);
    let result: unknown;
    let error: { message: string; code?: unknown } | undefined;
    try {
      result = target.apply(undefined, values as never);
    } catch (thrown) {
      error = thrown as Error;
    }
    const end = next();
    if (error === undefined) {
      if (end[0] !== "r") differ(`expected ${end[0]}, got the result ${show(result)}`);
      match(end[1] as never, result, "result");
      forget(end[2] as never);
      return;
    }
    if (end[0] !== "t") differ(`expected ${end[0]}, got the error ${error.message}`);
    match(end[2] as never, error.code, `code of ${error.message}`);
    // What the language itself says of a mistake is said otherwise here.
    if (end[2] !== null) match(end[1] as never, error.message, "message");
    forget(end[3] as never);
  }

  /** What the test did in a call of the code's, up to its answer. */
  function run(): unknown {
    for (;;) {
      const line = next();
      const first = line[0];
      if (first === "c") call(line);
      else if (first === "v") {
        const value = make(line[1] as never);
        forget(line[2] as never);
        return value;
      } else if (first === "w") {
        const error = makeError(make(line[1] as never), make(line[2] as never));
        forget(line[3] as never);
        throw error;
      } else if (first === "e") return undefined;
      else differ(`the code is done, expected ${first}`);
    }
  }

  const before = options.variables();
  run();
  const left = options.variables() - before;
  options.print(`played ${count - 1} lines, ${left} variables left`);
}
