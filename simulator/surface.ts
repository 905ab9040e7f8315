/**
 * What an ESP32 build of Espruino 2v29 has of JavaScript's own library, as its
 * wrappers declare it. Everything else V8 brings along is deleted, so that code
 * which uses it fails here as it does on the board.
 */
const words = (text: string): string[] => text.trim().split(/\s+/);

/** Global names that stay. Espruino's own (print, E, require, pins ...) are added later. */
export const globals: string[] = words(`
  globalThis undefined NaN Infinity eval parseInt parseFloat isFinite isNaN
  encodeURIComponent decodeURIComponent Object Function Array String Number Boolean Math JSON
  RegExp Date Error TypeError SyntaxError ReferenceError ArrayBuffer DataView Uint8Array
  Uint8ClampedArray Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array
`);

const functionOwn = "length name prototype";
const errorOwn = `${functionOwn} stackTraceLimit`;
const date = (prefix: string) =>
  `${prefix}Hours ${prefix}Minutes ${prefix}Seconds ${prefix}Milliseconds ${prefix}Day
   ${prefix}Date ${prefix}Month ${prefix}FullYear`;
const view = (prefix: string) =>
  words("Float32 Float64 Int8 Int16 Int32 Uint8 Uint16 Uint32").map((kind) => prefix + kind);

/** Members that stay, per object; one that is not named here keeps all of its own. */
export const members: Record<string, string[]> = {
  Object: words(`${functionOwn} keys getOwnPropertyNames values entries fromEntries create
    getOwnPropertyDescriptor getOwnPropertyDescriptors defineProperty defineProperties
    getPrototypeOf setPrototypeOf assign`),
  "Object.prototype": words("constructor __proto__ valueOf toString hasOwnProperty"),
  Function: words(functionOwn),
  "Function.prototype": words("constructor length name toString call apply bind"),
  Array: words(`${functionOwn} isArray`),
  "Array.prototype": words(`constructor length toString indexOf includes join push pop map forEach
    filter find findIndex some every reduce splice shift unshift slice sort concat fill reverse`),
  String: words(`${functionOwn} fromCharCode`),
  "String.prototype": words(`constructor length toString valueOf charAt charCodeAt indexOf
    lastIndexOf match replace replaceAll substring substr slice split toLowerCase toUpperCase trim
    concat startsWith endsWith includes repeat padStart padEnd`),
  Number: words(`${functionOwn} NaN MAX_VALUE MIN_VALUE NEGATIVE_INFINITY POSITIVE_INFINITY`),
  "Number.prototype": words("constructor toString valueOf toFixed"),
  Math: words(`E PI LN2 LN10 LOG2E LOG10E SQRT2 SQRT1_2 abs acos asin atan atan2 cos pow random
    round sin tan sqrt ceil floor exp log min max sign`),
  JSON: words("parse stringify"),
  Date: words(`${functionOwn} now parse`),
  "Date.prototype": words(`constructor valueOf toString toUTCString toISOString toJSON
    getTimezoneOffset getTime setTime ${date("get")} ${date("getUTC")} ${date("set")}`),
  Error: words(errorOwn),
  "Error.prototype": words("constructor message toString"),
  "TypeError.prototype": words("constructor message"),
  "SyntaxError.prototype": words("constructor message"),
  "ReferenceError.prototype": words("constructor message"),
  ArrayBuffer: words(functionOwn),
  "ArrayBuffer.prototype": words("constructor byteLength"),
  TypedArray: words(functionOwn),
  "TypedArray.prototype": words(`constructor buffer byteLength byteOffset length toString set map
    subarray indexOf includes join sort forEach reduce fill filter find findIndex reverse slice some
    every`),
  DataView: words(functionOwn),
  "DataView.prototype": [
    "constructor",
    "buffer",
    "byteLength",
    "byteOffset",
    ...view("get"),
    ...view("set"),
  ],
};

/**
 * Prototypes whose methods the interpreter finds for a value, but not as properties
 * of the prototype: `[].slice` is there, `Array.prototype.slice` is undefined.
 */
export const hiddenPrototypes: string[] = words("Array String Number Function Date");
