import { symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { monitor } from "../../../scripts/serial/monitor.ts";
import { createNodePort } from "../../../scripts/serial/node-port.ts";
import { temporaryDirectory } from "../../support/built.ts";
import { openPty } from "../../support/pty/pty.ts";

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** What was told so far, and a promise of what is told next. */
function createTold() {
  const told: string[] = [];
  const waiting = new Set<() => void>();
  return {
    told,
    tell(text: string) {
      told.push(text);
      for (const look of [...waiting]) look();
    },
    until(text: string): Promise<void> {
      return new Promise((resolve) => {
        const look = () => {
          if (!told.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
  };
}

/** A port whose path stays the same when another terminal takes the place of the first. */
async function plugIn(path: string) {
  const pty = await openPty();
  await symlink(pty.path, path);
  const unplug = async () => {
    await pty.unplug();
    await unlink(path).catch(() => {});
  };
  cleanUp.push(unplug);
  return { print: (text: string) => void pty.child.stdin?.write(text), unplug };
}

async function start() {
  const [directory, remove] = await temporaryDirectory("monitor");
  cleanUp.push(remove);
  const path = join(directory, "port");
  const lines = createTold();
  const events = createTold();
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const run = () =>
    monitor(createNodePort(path), { stopped, onLine: lines.tell, onPort: events.tell });
  return { path, lines, events, stop: () => stop(), run };
}

describe("monitor", () => {
  it("shows lines without terminal codes, goes on after an unplugging, and ends when told", async () => {
    const { path, lines, events, stop, run } = await start();
    const first = await plugIn(path);
    const running = run();
    await events.until("connected");
    first.print("\x1b[Jstate: network\r\n>half a");
    await lines.until("state: network");
    await first.unplug();
    await events.until("gone: waiting for it");
    expect(lines.told.at(-1)).toBe(">half a");

    const second = await plugIn(path);
    await events.until("connected again");
    second.print("state: streaming\r\n");
    await lines.until("state: streaming");
    stop();
    await running;
    expect(events.told).toEqual(["connected", "gone: waiting for it", "connected again"]);
  });

  it("ends when told while it waits for the port", async () => {
    const { path, events, stop, run } = await start();
    const board = await plugIn(path);
    const running = run();
    await events.until("connected");
    await board.unplug();
    await events.until("gone: waiting for it");
    stop();
    await running;
  });

  it("passes on why it ends, where nobody told it to", async () => {
    const { path, events } = await start();
    await plugIn(path);
    let fail = (_error: Error) => {};
    const stopped = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });
    const port = createNodePort(path);
    const running = monitor(port, { stopped, onLine: () => {}, onPort: events.tell });
    await events.until("connected");
    fail(new Error("standard output, expected to be written, got ENOSPC"));
    await expect(running).rejects.toThrow(/ENOSPC/);
    expect(port.readable).toBeNull();
  });

  it("does not wait for a port that was never there", async () => {
    const { run } = await start();
    await expect(run()).rejects.toThrow(/No such file/);
  });
});
