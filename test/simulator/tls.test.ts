import { afterEach, describe, expect, it } from "vitest";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { startTlsMosquitto } from "../support/tls-broker.ts";
import { bootBoard } from "./harness.ts";

const brokers: Mosquitto[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

/** Sends an MQTT CONNECT as soon as it may, and prints what becomes of it. */
const bundle = (port: number) => `
  var s = require("tls").connect({ host: "127.0.0.1", port: ${port} }, function (c) {
    print("connected", c === s);
    s.write("\\x10\\x0d\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x01c");
  });
  s.on("data", function (d) { print("data", d.length, d.charCodeAt(0)); s.end(); });
  ["error", "end", "close"].forEach(function (name) {
    s.on(name, function (v) { print(name, v && v.code ? v.code : v); }); });`;

describe("tls", () => {
  it.each(["rsa", "ec"] as const)("connects under an unknown %s certificate", async (kind) => {
    const broker = await startTlsMosquitto(kind);
    brokers.push(broker);
    const bench = bootBoard(bundle(broker.port));
    expect(await bench.line("close")).toBe("close false");
    expect(bench.lines).toEqual(["connected true", "data 4 32", "end undefined", "close false"]);
  });

  it("is connected before the handshake, whose failure nobody can catch", async () => {
    const broker = await startMosquitto();
    brokers.push(broker);
    const bench = bootBoard(bundle(broker.port));
    await bench.line("Uncaught InternalError: mbedtls_ssl_handshake returned ");
    expect(bench.lines).toEqual([
      "connected true",
      "error -8",
      "end undefined",
      "close true",
      expect.stringMatching(/^Uncaught/),
    ]);
  });

  it("does not call back when it is ended before it is connected", async () => {
    const broker = await startTlsMosquitto("ec");
    brokers.push(broker);
    const bench = bootBoard(`${bundle(broker.port)} s.end();`);
    await bench.line("close");
    expect(bench.lines).toEqual(["end undefined", "close false"]);
  });

  it("is refused like any other connection", async () => {
    const bench = bootBoard(bundle(1));
    expect(await bench.line("close")).toBe("close true");
    expect(bench.lines).toEqual(["error -9", "end undefined", "close true"]);
  });
});
