/** What is recorded is played, and a player notices each thing that is otherwise. In Node, both. */
import { describe, expect, it } from "vitest";
import { finish, toText } from "./log.ts";
import { play } from "./player.ts";
import { createRecorder } from "./recorder.ts";

interface Item {
  text: string;
  seen: number;
}

interface Scope {
  double?: () => number;
}

interface Port {
  ask(question: string): number;
  later(task: () => void): void;
  never(): void;
}

/** Something like the device's code: a factory with a port, objects that both sides hold, errors. */
function createCounter(port: Port) {
  let total = 0;
  return {
    add(item: Item): Item {
      if (item.text === "") throw Object.assign(new Error("text, expected some"), { code: "size" });
      item.seen += port.ask(item.text);
      total += item.seen;
      port.later(() => {
        total += item.seen;
      });
      return item;
    },
    total: () => total / 4,
    expose(scope: Scope): void {
      scope.double = () => {
        total *= 2;
        return total;
      };
    },
  };
}

type Code = typeof createCounter;

/** A test of it, as a recorder sees it; what the recording is then played to. */
function replay(code: Code, lines?: (text: string) => string): string {
  const recorder = createRecorder({ counter: ["createCounter"] });
  const create = recorder.record("counter", "createCounter", createCounter) as Code;
  const tasks: (() => void)[] = [];
  const counter = create({
    ask: (question) => question.length,
    later: (task) => tasks.push(task),
    never() {},
  });
  const item = { text: "\x00\xff\n", seen: 1 };
  expect(counter.add(item)).toBe(item);
  item.seen = 5;
  for (const task of tasks) task();
  expect(counter.total()).toBe(2.25);
  expect(() => counter.add({ text: "", seen: 0 })).toThrow("expected some");
  const scope: Scope = {};
  counter.expose(scope);
  expect(scope.double?.()).toBe(18);
  counter.add({ text: "\u20ac", seen: 0 });
  expect(recorder.unsaid()).toBe(1);

  const log = finish(recorder.lines, recorder.exported, recorder.unsaid());
  const text = lines ? lines(toText(log.lines)) : toText(log.lines);
  let at = 0;
  const printed: string[] = [];
  try {
    play(
      { [log.exported[0]?.id as number]: code },
      {
        file: {
          read(length) {
            at += length;
            return text.slice(at - length, at);
          },
        },
        print: (line) => printed.push(line),
        fromBase64: atob,
        toArray: (bytes) => Buffer.from(bytes, "latin1"),
        fromArray: (array) => Buffer.from(array).toString("latin1"),
        variables: () => 0,
      },
    );
  } catch (error) {
    expect((error as Error).message).toBe("differs");
  }
  expect(printed).toHaveLength(1);
  return printed[0] as string;
}

/** The code with one thing otherwise. */
const changed = (change: (counter: ReturnType<Code>, port: Port) => Partial<ReturnType<Code>>) =>
  ((port: Port) => {
    const counter = createCounter(port);
    return { ...counter, ...change(counter, port) };
  }) as Code;

describe("a recording", () => {
  it("is played by the code that it was made of", () => {
    expect(replay(createCounter)).toMatch(/^played \d+ lines, 0 variables left$/);
  });

  it.each<[string, string, Code]>([
    ["a result", "result", changed(({ total }) => ({ total: () => total() + 1 }))],
    [
      "a call of the test's that is left out",
      "expected k",
      changed(() => ({ add: (item) => item })),
    ],
    [
      "a call of the test's with something else",
      "argument 0",
      changed(({ add }, port) => ({
        add(item) {
          port.ask(`${item.text}!`);
          return add(item);
        },
      })),
    ],
    [
      "a call of the test's that was not made",
      "did not call",
      changed(({ total }, port) => ({
        total() {
          port.never();
          return total();
        },
      })),
    ],
    [
      "another object that is the same",
      "thing",
      changed(({ add }) => ({ add: (item) => ({ ...add(item) }) })),
    ],
    [
      "a function in an object of the test's",
      "double, expected a function",
      changed(() => ({ expose: () => undefined })),
    ],
    [
      "another code of an error",
      "code of",
      changed(({ add }) => ({
        add(item) {
          if (item.text === "") throw Object.assign(new Error("text"), { code: "form" });
          return add(item);
        },
      })),
    ],
  ])("is not played by code that differs in %s", (_what, where, code) => {
    expect(replay(code)).toMatch(new RegExp(`^differs at line \\d+: .*${where}`));
  });

  it("holds what a test changes in an object of both", () => {
    const forget = (text: string) =>
      text.replace(/\["s",\d+,\["seen",5\]/, (line) => line.replace("5]", "1]"));
    expect(replay(createCounter, forget)).toMatch(/^differs/);
  });
});
