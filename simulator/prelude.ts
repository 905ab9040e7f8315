/**
 * The text that makes a fresh V8 context look like Espruino, run inside it before
 * anything else. It is text, not a function, because it must be made of the
 * context's own objects: an error or array of the host would give the bundle a way to
 * what the board lacks. `ports` are the host's few functions; they stay in here.
 */
export const prelude = `(function (globals, members, hidden, ports) {
"use strict";
const defineProperty = Object.defineProperty;
const ownNames = Object.getOwnPropertyNames;
const states = new WeakMap();
const add = (object, name, value) =>
  defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });

// Doors: functions of this context that call the host's and rethrow its errors as our own.
class InternalError extends Error {}
function error(thrown) {
  const made = thrown.internal ? new InternalError(thrown.message) : new Error(thrown.message);
  if (thrown.code !== undefined) made.code = thrown.code;
  return made;
}
function door(host) {
  return function () {
    const answer = ports.call(host, this, arguments);
    if (answer.thrown !== undefined) throw error(answer.thrown);
    return answer.value;
  };
}
function object(source) {
  const made = {};
  for (const name of Object.keys(source))
    made[name] = typeof source[name] === "function" ? door(source[name]) : source[name];
  return made;
}
function array(source) {
  const made = [];
  for (let i = 0; i < source.length; i++) made[i] = source[i];
  return made;
}
function text(value) {
  if (typeof value !== "object" || value === null || value instanceof Error) return String(value);
  // Pins print their name.
  return ownNames(value).indexOf("toString") < 0 ? JSON.stringify(value) : String(value);
}

// Promises run on the interpreter's queue, and a rejection nobody handles yet is reported at once.
function settle(state, fulfilled, value) {
  state.settled = true;
  state.fulfilled = fulfilled;
  state.value = value;
  if (!fulfilled && state.reactions.length === 0) ports.unhandled(value);
  for (const reaction of state.reactions) reaction();
  state.reactions = [];
}
function once(state) {
  let called = false;
  const first = (run) => (value) => {
    if (called) return;
    called = true;
    run(value);
  };
  return {
    resolve: first((value) => follow(state, value)),
    reject: first((reason) => settle(state, false, reason)),
  };
}
function follow(state, value) {
  const pair = once(state);
  try {
    const then = typeof value === "object" && value !== null ? value.then : undefined;
    if (typeof then === "function") then.call(value, pair.resolve, pair.reject);
    else settle(state, true, value);
  } catch (reason) {
    pair.reject(reason);
  }
}
function Promise(executor) {
  const state = { settled: false, fulfilled: false, value: undefined, reactions: [] };
  states.set(this, state);
  const pair = once(state);
  try {
    executor(pair.resolve, pair.reject);
  } catch (reason) {
    pair.reject(reason);
  }
}
add(Promise.prototype, "then", function (fulfilled, rejected) {
  const state = states.get(this);
  return new Promise((resolve, reject) => {
    const react = () => ports.post(() => {
      const handler = state.fulfilled ? fulfilled : rejected;
      if (typeof handler !== "function") return (state.fulfilled ? resolve : reject)(state.value);
      try {
        resolve(handler(state.value));
      } catch (reason) {
        reject(reason);
      }
    });
    if (state.settled) react();
    else state.reactions.push(react);
  });
});
add(Promise.prototype, "catch", function (rejected) {
  return this.then(undefined, rejected);
});
Promise.resolve = (value) => new Promise((resolve) => resolve(value));
Promise.reject = (reason) => new Promise((resolve, reject) => reject(reason));
Promise.all = (list) => new Promise((resolve, reject) => {
  const values = [];
  let missing = list.length;
  if (missing === 0) resolve(values);
  for (let i = 0; i < list.length; i++)
    Promise.resolve(list[i]).then((value) => {
      values[i] = value;
      if (--missing === 0) resolve(values);
    }, reject);
});

// Dates follow the board's clock, not the host's.
const HostDate = Date;
function BoardDate() {
  if (arguments.length === 0) return new HostDate(ports.milliseconds());
  return new HostDate(...arguments);
}
BoardDate.prototype = HostDate.prototype;
BoardDate.now = () => ports.milliseconds();
BoardDate.parse = HostDate.parse;

// V8 does not let go of Number's own constants, so another function takes its place.
const HostNumber = Number;
function BoardNumber(value) {
  return arguments.length === 0 ? 0 : HostNumber(value);
}
BoardNumber.prototype = HostNumber.prototype;
add(HostNumber.prototype, "constructor", BoardNumber);
for (const name of members.Number)
  if (name.toUpperCase() === name || name === "NaN") add(BoardNumber, name, HostNumber[name]);

// Where a name is there but behaves differently.
const fromCharCode = String.fromCharCode;
add(String, "fromCharCode", function () {
  let made = "";
  for (let i = 0; i < arguments.length; i++) made += fromCharCode(arguments[i] & 255);
  return made;
});
const create = Object.create;
add(Object, "create", (prototype, properties) => {
  if (properties !== undefined) throw new Error("propertiesObject is not supported yet");
  return create(prototype);
});
const TypedArray = Object.getPrototypeOf(Uint8Array);
const arraySlice = Array.prototype.slice;
add(TypedArray.prototype, "slice", function (from, to) {
  return arraySlice.call(this, from, to);
});
const { floor, ceil } = Math;
add(Math, "round", (value) => (value < 0 ? ceil(value - 0.5) : floor(value + 0.5)) + 0);
add(Math, "random", () => ports.random() / 0x7fffffff);
add(Error.prototype, "toString", function () {
  return this.constructor.name + ": " + this.message;
});

// Events: every object has them, and listeners run later, from the interpreter's queue.
add(Object.prototype, "on", door(ports.on));
add(Object.prototype, "emit", door(ports.emit));
add(Object.prototype, "removeListener", door(ports.removeListener));
add(Object.prototype, "removeAllListeners", door(ports.removeAllListeners));

// Deleting comes last: from here on the context has what Espruino has, and nothing else.
const remove = Reflect.deleteProperty;
const everything = { TypedArray };
for (const name of globals) everything[name] = globalThis[name];
const eventNames = ["on", "emit", "removeListener", "removeAllListeners"];
for (const path of Object.keys(members)) {
  const parts = path.split(".");
  const target = parts.length === 2 ? everything[parts[0]].prototype : everything[parts[0]];
  const stays = path === "Object.prototype" ? members[path].concat(eventNames) : members[path];
  for (const name of ownNames(target))
    if (stays.indexOf(name) < 0) remove(target, name);
}
for (const name of ownNames(globalThis)) if (globals.indexOf(name) < 0) remove(globalThis, name);
add(globalThis, "Date", BoardDate);
add(globalThis, "Number", BoardNumber);
add(globalThis, "Promise", Promise);
add(globalThis, "InternalError", InternalError);
add(globalThis, "global", globalThis);
hidden.forEach((kind) => {
  const prototype = everything[kind].prototype;
  ownNames(prototype).forEach((name) => {
    const method = prototype[name];
    if (name === "constructor" || typeof method !== "function") return;
    defineProperty(prototype, name, {
      configurable: true,
      get() { return this === prototype ? undefined : method; },
      set(value) {
        defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
      },
    });
  });
});
return {
  door, object, array, text,
  bytes: (source) => new everything.Uint8Array(source),
  stringify: everything.JSON.stringify,
  parse: everything.JSON.parse,
};
})`;
