/**
 * What Espruino 2v29 offers on an ESP32, by name. Left out although it exists:
 * `eval`, `Function`, `peek` and `poke`, which run or reach what no gate can see.
 */

const words = (text) => text.trim().split(/\s+/);

export const GLOBALS = new Set(
  words(`
    Array ArrayBuffer ArrayBufferView Boolean DataView Date Error Float32Array Float64Array
    Infinity Int16Array Int32Array Int8Array InternalError JSON Math NaN Number Object Promise
    ReferenceError RegExp String SyntaxError TypeError Uint16Array Uint24Array Uint32Array
    Uint8Array Uint8ClampedArray arguments atob btoa changeInterval clearInterval clearTimeout
    console decodeURIComponent encodeURIComponent global globalThis isFinite isNaN parseFloat
    parseInt process require setInterval setTimeout undefined

    E ESP32 HIGH I2C I2C1 I2C2 LOW LoopbackA LoopbackB OneWire Pin SPI SPI1 SPI2 Serial Serial1 Serial2 Serial3
    Waveform analogRead analogWrite clearWatch digitalPulse digitalRead digitalWrite dump
    getPinMode getSerial getTime load pinMode print reset save setBusyIndicator
    setSleepIndicator setTime setWatch shiftOut trace
  `),
);

/** Globals of the boards' pins: A0 to H48, which covers the ESP32's D0 to D48. */
export function pinNames() {
  const numbers = Array.from({ length: 49 }, (_, number) => number);
  return [..."ABCDEFGH"].flatMap((port) => numbers.map((number) => port + number));
}

/** The only members of the built-in objects; a name beside these is undefined. */
export const STATIC_MEMBERS = {
  Array: words("isArray"),
  ArrayBuffer: [],
  Boolean: [],
  Date: words("now parse"),
  Error: [],
  JSON: words("parse stringify"),
  Math: words(`
    E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil clip cos exp floor log
    max min pow random randInt round sign sin sqrt tan wrap
  `),
  Number: words("MAX_VALUE MIN_VALUE NEGATIVE_INFINITY NaN POSITIVE_INFINITY"),
  Object: words(`
    assign create defineProperties defineProperty entries fromEntries getOwnPropertyDescriptor
    getOwnPropertyDescriptors getOwnPropertyNames getPrototypeOf keys setPrototypeOf values
  `),
  Promise: words("all reject resolve"),
  RegExp: [],
  String: words("fromCharCode"),
  Uint8Array: [],
  Uint16Array: [],
  Uint32Array: [],
  Int8Array: [],
  Int16Array: [],
  Int32Array: [],
  Float32Array: [],
  Float64Array: [],
};

/**
 * Standard methods that at least one of Espruino's types lacks. The gate does not know
 * the type of a value, so a call by such a name is refused unless the bundle itself
 * defines a member of that name.
 */
export const MISSING_METHODS = new Set(
  words(`
    at codePointAt copyWithin entries finally findLast findLastIndex flat flatMap getBigInt64
    getBigUint64 isPrototypeOf keys lastIndexOf localeCompare matchAll normalize
    propertyIsEnumerable reduceRight resize search setBigInt64 setBigUint64 toExponential
    toLocaleDateString toLocaleLowerCase toLocaleString toLocaleTimeString toLocaleUpperCase
    toPrecision toReversed toSorted toSpliced transfer trimEnd trimStart values with
  `),
);

/** Espruino's reserved words: as names of class methods they are syntax errors. */
export const RESERVED_WORDS = new Set(
  words(`
    if else do while for break continue function return var let const this throw try catch
    finally true false null undefined new in instanceof switch case default delete typeof void
    debugger class extends super static of
  `),
);
