import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { createSensorModels } from "../../simulator/i2c/models.ts";
import { bootBoard } from "./harness.ts";

/** A small device: counts its boots, joins the network, measures, sends, and says so. */
const bundle = `
  var storage = require("Storage"), wifi = require("Wifi"), net = require("net");
  var settings = storage.readJSON("coseflow.json");
  var boots = (storage.readJSON("boots", true) || { n: 0 }).n + 1;
  storage.write("boots", { n: boots });
  function measure(done) {
    I2C1.setup({ sda: D8, scl: D9 });
    I2C1.writeTo(0x44, 0x24, 0x00);
    setTimeout(function () {
      var r = I2C1.readFrom(0x44, 6);
      done(Math.round((r[0] * 256 + r[1]) * 17500 / 65535) - 4500);
    }, 20);
  }
  function online(error) {
    if (error) throw new Error(error);
    net.connect(settings.broker, function (socket) {
      socket.on("data", function (d) { console.log("got", d); });
      measure(function (value) { socket.write("boot " + boots + " value " + value); });
    });
  }
  function onInit() { wifi.connect(settings.ssid, { password: "secret" }, online); }`;

it("runs a whole device over two power cycles", async () => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const storage = new Map<string, string>();
  const received: string[] = [];

  for (let cycle = 0; cycle < 2; cycle++) {
    const bench = bootBoard(bundle, {
      board: { name: "test", i2c: { sda: "D8", scl: "D9" } },
      storage,
      settings: { broker: { host: "127.0.0.1", port }, ssid: "home" },
      wifi: [{ ssid: "home", password: "secret" }],
      sensors: createSensorModels([{ driver: "sht3x" }], () => ({
        celsius: 19.25,
        relativeHumidity: 50,
      })),
    });
    const [socket] = (await once(server, "connection")) as [Socket];
    socket.on("error", () => undefined);
    const [data] = (await once(socket, "data")) as [Buffer];
    received.push(data.toString());
    socket.write("thanks");
    await bench.line("got thanks");
    bench.board.powerOff();
    await once(socket, "close");
    expect(bench.lines).toEqual(["got thanks"]);
  }

  expect(received).toEqual(["boot 1 value 1925", "boot 2 value 1925"]);
  server.close();
});
