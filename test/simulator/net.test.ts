import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootBoard } from "./harness.ts";

let server: Server;
let port: number;
let peers: Socket[];

beforeEach(async () => {
  peers = [];
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    peers.push(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  for (const peer of peers) peer.destroy();
  server.close();
});

async function peer(): Promise<Socket> {
  if (peers.length === 0) await once(server, "connection");
  return peers[0] as Socket;
}

const listen = `["error", "end", "close", "drain"].forEach(function (name) {
  s.on(name, function (v) { print(name, name === "drain" ? v === s : v); }); });`;
const connect = (then: string) =>
  `var s = require("net").connect({ host: "127.0.0.1", port: ${port} }, function (c) {
    print("connected", c === s && this === s); ${then} }); ${listen}`;

describe("net", () => {
  it("connects, drains once, sends bytes and drains again", async () => {
    const bench = bootBoard(
      connect(`print(s.write("\\x00\\xff")); s.write("abc"); s.write(new Uint8Array([1, 2]));`),
    );
    const chunks: Buffer[] = [];
    const socket = await peer();
    socket.on("data", (chunk) => chunks.push(chunk));
    while (Buffer.concat(chunks).length < 8) await once(socket, "data");
    // A typed array goes out as text, which is what the interpreter does.
    expect(Buffer.concat(chunks).toString("latin1")).toBe("\x00\xffabc1,2");
    expect(bench.lines).toEqual(["connected true", "false", "drain true", "drain true"]);
  });

  it("drains after connecting with nothing to send", async () => {
    const bench = bootBoard(connect(""));
    await bench.line("drain");
    expect(bench.lines).toEqual(["connected true", "drain true"]);
  });

  it("reads at most 536 bytes at a time", async () => {
    const bench = bootBoard(
      `${connect("")} var n = 0; s.on("data", function (d) {
        n += d.length; if (d.length > 536) print("too long"); if (n === 2000) print("all"); })`,
    );
    (await peer()).write(Buffer.alloc(2000, 0xfe));
    await bench.line("all");
    expect(bench.lines).not.toContain("too long");
  });

  it("keeps bytes until somebody listens", async () => {
    const bench = bootBoard(`${connect("")}
      setTimeout(function () { s.on("data", function (d) { print("data", d); }); }, 40)`);
    (await peer()).write("early");
    expect(await bench.line("data")).toBe("data early");
  });

  it("ends after sending, and a write to it throws", async () => {
    const bench = bootBoard(
      connect(`s.write("bye"); s.end(); try { s.write("x") } catch (e) { print(e.message) }`),
    );
    const socket = await peer();
    const [data] = (await once(socket, "data")) as [Buffer];
    expect(data.toString()).toBe("bye");
    expect(await bench.line("close")).toBe("close false");
    expect(bench.lines).toEqual([
      "connected true",
      "This socket is closed",
      "drain true",
      "end undefined",
      "close false",
    ]);
  });

  it("sends a last word with end", async () => {
    const bench = bootBoard(connect(`s.end("bye"); s.end();`));
    const [data] = (await once(await peer(), "data")) as [Buffer];
    expect(data.toString()).toBe("bye");
    expect(await bench.line("close")).toBe("close false");
  });

  it("does not call back when it is ended before it is connected", async () => {
    const bench = bootBoard(`${connect("")} s.write("x"); s.end();`);
    await bench.line("close");
    expect(bench.lines).toEqual(["end undefined", "close false"]);
  });

  it("closes without an error when the peer does, and a write to it throws", async () => {
    const bench = bootBoard(
      `${connect("")} s.on("close", function () { try { s.write("x") } catch (e) { print("thrown") } })`,
    );
    const socket = await peer();
    await bench.line("connected");
    socket.destroy();
    await bench.line("thrown");
    expect(bench.lines.slice(-3)).toEqual(["end undefined", "close false", "thrown"]);
  });

  it("says so when bytes could not be sent", async () => {
    // The peer reads nothing and resets: 16 MiB do not fit into the buffers between.
    const bench = bootBoard(
      `${connect(`for (var i = 0, t = "x"; i < 24; i++) t += t; s.write(t);`)}
       s.on("error", function (e) { print("code", e.code, e.message); })`,
    );
    const socket = await peer();
    socket.pause();
    await bench.line("connected");
    socket.resetAndDestroy();
    expect(await bench.line("close")).toBe("close true");
    expect(bench.lines).toContain("code -8 unsent data");
  });

  it("reports a refused connection as error, end and close", async () => {
    server.close();
    const bench = bootBoard(
      `${connect("")} s.on("error", function (e) { print("code", e.code); })`,
    );
    expect(await bench.line("close")).toBe("close true");
    expect(bench.lines).toContain("code -9");
    expect(bench.lines).not.toContain("connected true");
  });

  it("refuses options of the wrong kind", () => {
    expect(bootBoard(`require("net").connect(5)`).lines[0]).toMatch(/^Uncaught Error/);
    expect(bootBoard(`require("net").connect({}, 5)`).lines[0]).toMatch(/^Uncaught Error/);
  });

  it("is cut at once with the power", async () => {
    const bench = bootBoard(`${connect("")} s.on("data", function () { print("never"); });`);
    const socket = await peer();
    await bench.line("connected");
    bench.board.powerOff();
    socket.write("hello");
    await once(socket, "close");
    expect(bench.lines).not.toContain("never");
    expect(bench.lines).not.toContain("close false");
  });
});
