import { describe, expect, it } from "vitest";
import { printed } from "./harness.ts";

/** Names that V8 has and Espruino lacks, measured on the interpreter. */
const missingGlobals = `Map Set WeakMap WeakSet WeakRef Symbol Proxy Reflect BigInt TextEncoder
  TextDecoder Intl WebAssembly Atomics SharedArrayBuffer RangeError queueMicrotask structuredClone
  escape unescape encodeURI decodeURI Iterator BigInt64Array setImmediate Buffer window module
  exports fetch URL Flash`.split(/\s+/);

const missingMembers = `Object.freeze Object.is Object.isFrozen Object.seal Array.from Array.of
  Uint8Array.from Uint8Array.of ArrayBuffer.isView Math.trunc Math.imul Math.log2 Math.log10
  Math.hypot Math.cbrt Math.fround Math.clz32 Number.isInteger Number.isFinite Number.isSafeInteger
  Number.MAX_SAFE_INTEGER Number.EPSILON Date.UTC Promise.race Promise.any Promise.allSettled
  String.raw String.fromCodePoint process.exit process.hrtime`.split(/\s+/);

const missingMethods: [string, string][] = [
  ["[]", "at flat flatMap lastIndexOf reduceRight keys values entries findLast copyWithin"],
  ["''", "at codePointAt normalize localeCompare matchAll trimStart trimEnd search"],
  ["1", "toPrecision toExponential toLocaleString"],
  ["new Uint8Array(1)", "at copyWithin lastIndexOf keys values entries"],
  ["new ArrayBuffer(1)", "slice resize"],
  ["new DataView(new ArrayBuffer(8))", "getBigUint64 setBigInt64"],
  ["Promise.resolve()", "finally"],
  ["({})", "isPrototypeOf propertyIsEnumerable __defineGetter__"],
];

describe("what the board lacks is absent", () => {
  it.each(missingGlobals)("no %s", (name) => {
    expect(printed(`print(typeof ${name})`)).toEqual(["undefined"]);
  });

  it.each(missingMembers)("no %s", (path) => {
    expect(printed(`print(typeof ${path})`)).toEqual(["undefined"]);
  });

  it.each(missingMethods)("no rare methods of %s", (value, names) => {
    for (const name of names.split(" "))
      expect([name, ...printed(`print(typeof (${value}).${name})`)]).toEqual([name, "undefined"]);
  });

  it("leads nowhere out of the context", () => {
    const leak = `(function(){}).constructor("return typeof process.exit")()`;
    expect(printed(`print(${leak}, require.constructor === Function)`)).toEqual(["undefined true"]);
    expect(printed(`try { require("x") } catch (e) { print(e instanceof Error) }`)).toEqual([
      "true",
    ]);
  });
});

describe("what the board has is there", () => {
  const has = `parseInt atob btoa encodeURIComponent setTimeout setInterval changeInterval print
    getTime require eval Object.assign Object.entries Object.fromEntries [].slice [].indexOf
    "".substr "".padStart Math.sign Math.round JSON.parse console.log E.on E.kickWatchdog
    Promise.all D5.read InternalError process.memory`.split(/\s+/);

  it.each(has)("%s", (path) => {
    expect(printed(`print(typeof ${path})`)).toEqual(["function"]);
  });

  it("finds methods on values, not on prototypes", () => {
    expect(printed(`print(typeof Array.prototype.slice, [1, 2].slice(1)[0])`)).toEqual([
      "undefined 2",
    ]);
    expect(
      printed(`Array.prototype.slice = [].slice; print(typeof Array.prototype.slice)`),
    ).toEqual(["function"]);
  });
});

describe("what is there behaves as on the board", () => {
  const cases: [string, string, string][] = [
    ["fromCharCode keeps one byte", "String.fromCharCode(300, 65).charCodeAt(0)", "44"],
    [
      "slice of a typed array is an array",
      "Array.isArray(new Uint8Array([1, 2]).slice(1))",
      "true",
    ],
    ["round takes halves away from zero", "[-1.5, -0.4, 1.5, 2.4].map(Math.round)", "[-2,0,2,2]"],
    ["errors have no name", "new TypeError('x').name", "undefined"],
    ["errors print their class", "new TypeError('x')", "TypeError: x"],
    ["randomness is constant", "E.hwRand()", "548953282"],
    ["atob gives bytes", "atob('/w==').charCodeAt(0)", "255"],
    ["E.toString joins bytes", "E.toString([65, 66], 'c', new Uint8Array([68]), 69)", "ABcDE"],
    ["pins have one identity", "new Pin('D4') === D4 && new Pin(4) === D4 && D4", "D4"],
    ["pins keep their level", "(D5.write(1), D5.read(), D5.reset(), D5.read())", "false"],
    ["the clock starts at boot", "getTime() < 60 && new Date().getTime() < 60000", "true"],
  ];

  it.each(cases)("%s", (_, expression, expected) => {
    const before = expression.startsWith("E.hwRand") ? "Math.random(); Math.random();" : "";
    expect(printed(`${before} print(${expression})`)).toEqual([expected]);
  });

  it("throws where Espruino throws", () => {
    for (const code of ["Object.create({}, {})", "clearTimeout(undefined)", "require('devcrypto')"])
      expect(printed(`try { ${code}; print("no") } catch (e) { print("thrown") }`)).toEqual([
        "thrown",
      ]);
  });

  it("runs promise callbacks after the current task, in order", () => {
    const bundle = `Promise.resolve(1).then(function (v) { print(v); throw new Error("x"); })
      .catch(function (e) { print(e); }); Promise.all([1, Promise.resolve(2)]).then(print); print(0)`;
    expect(printed(bundle)).toEqual(["0", "1", "Error: x", "[1,2]"]);
  });

  it("queues emitted events", () => {
    const bundle = `var o = {}; o.on("x", function (v) { print(v, this === o); });
      o.emit("x", 1); print("first"); E.on("init", function () { print("init"); });
      function onInit() { print("onInit"); }`;
    expect(printed(bundle)).toEqual(["first", "1 true", "init", "onInit"]);
  });

  it("removes listeners", () => {
    const bundle = `var o = {}; function f() { print("never"); }
      o.on("x", f); o.removeListener("x", f); o.on("y", f); o.removeAllListeners("y");
      o.on("z", f); o.removeAllListeners(); o.emit("x"); o.emit("y"); o.emit("z"); print("end")`;
    expect(printed(bundle)).toEqual(["end"]);
  });
});
