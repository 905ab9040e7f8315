import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type DemoOptions, runDemo } from "../../../scripts/cli/demo.ts";
import { startAedes, type TestBroker } from "../../support/brokers.ts";
import { temporaryDirectory } from "../../support/built.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const NEVER = new Promise<void>(() => {});

function demo(options: Partial<DemoOptions> = {}) {
  const out: string[] = [];
  const error: string[] = [];
  const ended = runDemo({
    board: "linux",
    json: true,
    port: 0,
    stdout: (line) => out.push(line),
    stderr: (line) => error.push(line),
    stopped: NEVER,
    ...options,
  });
  return { ended, out, error };
}

/** A server that takes connections and says nothing. */
async function startSilence(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  server.on("connection", (socket) => closers.push(() => socket.destroy()));
  return (server.address() as AddressInfo).port;
}

/** A temporary folder of our own, so that nobody else's demo is counted. */
async function ownTemporaryFolder(): Promise<string> {
  const [folder, remove] = await temporaryDirectory("demo-test");
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  closers.push(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    return remove();
  });
  return folder;
}

describe("coseflow demo", () => {
  it("prints exactly the readings asked for, as NDJSON, and ends", async () => {
    const { ended, out, error } = demo({ readings: 3 });
    await ended;
    const lines = out.map((line) => JSON.parse(line));
    expect(lines.map(({ name, sequence }) => [name, sequence])).toEqual([
      ["load", 1],
      ["memory", 1],
      ["load", 2],
    ]);
    for (const line of lines)
      expect(Object.keys(line)).toEqual([
        "device",
        "session",
        "sequence",
        "name",
        "unit",
        "value",
        "time",
        "timeFrom",
      ]);
    expect(error.filter((line) => !line.startsWith("crypto:"))).toEqual([]);
  });

  it("shows what the broker sees beside what the cloud opened, within 80 columns", async () => {
    const { ended, out } = demo({ json: false, readings: 2 });
    await ended;
    expect(out.every((line) => line.length <= 80)).toBe(true);
    expect(out.filter((line) => /^session +255 {2}d284/.test(line))).toHaveLength(1);
    expect(out.some((line) => /^reading +\d+ {2}d083[0-9a-f]+\.\. {2}load /.test(line))).toBe(true);
  });

  it("uses a broker of the user's", async () => {
    const broker: TestBroker = await startAedes();
    closers.push(() => broker.close());
    const { ended, out } = demo({ broker: broker.url, readings: 1 });
    await ended;
    expect(out).toHaveLength(1);
  });

  it.each([0, 20, 200, 600])(
    "ends when it is stopped after %i ms, wherever it is then",
    async (ms) => {
      const folder = await ownTemporaryFolder();
      const stopped = new Promise<void>((stop) => setTimeout(stop, ms));
      await demo({ stopped }).ended;
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it("ends when it is stopped while a broker keeps silent", async () => {
    const port = await startSilence();
    const stopped = new Promise<void>((stop) => setTimeout(stop, 50));
    await demo({ broker: `mqtt://127.0.0.1:${port}`, stopped }).ended;
  });

  it("says why it cannot start", async () => {
    const port = await startSilence();
    await expect(demo({ port }).ended).rejects.toThrow(`port ${port}`);
    await expect(demo({ board: "nope" }).ended).rejects.toThrow(/nope/);
    await expect(demo({ broker: "mqtt://127.0.0.1:1" }).ended).rejects.toThrow(/ECONNREFUSED/);
    await expect(demo({ stopped: Promise.reject(new Error("disk")) }).ended).rejects.toThrow(
      "disk",
    );
  });
});
