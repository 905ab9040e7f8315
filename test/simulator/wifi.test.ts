import { describe, expect, it } from "vitest";
import { bootBoard } from "./harness.ts";

describe("Wifi", () => {
  const wifi = [{ ssid: "home", password: "secret" }];
  const bundle = (ssid: string, password: string) => `var w = require("Wifi");
    ["associated", "connected", "disconnected"].forEach(function (name) {
      w.on(name, function (d) { print(name, d.msg || d.ip || d.ssid); }); });
    print(w.getStatus().station === "connected");
    w.connect("${ssid}", { password: "${password}" }, function (e) {
      print("answer", e, w.getStatus().station); setTimeout(print, 20, "end"); });
    try { require("net").connect({ host: "127.0.0.1", port: 1 }) } catch (e) { print(e) }`;

  it("connects, and only then there is a network", async () => {
    const bench = bootBoard(bundle("home", "secret"), { wifi });
    await bench.line("end");
    expect(bench.lines).toEqual([
      "false",
      "InternalError: Unable to create socket",
      "associated home",
      "answer null connected",
      "connected 192.0.2.10",
      "end",
    ]);
  });

  it.each([
    ["home", "wrong", "4WAY_HANDSHAKE_TIMEOUT"],
    ["away", "secret", "NO_AP_FOUND"],
  ])("does not connect to %s with %s", async (ssid, password, reason) => {
    const bench = bootBoard(bundle(ssid, password), { wifi });
    await bench.line("end");
    expect(bench.lines.slice(2)).toEqual([
      `disconnected ${reason}`,
      `answer ${reason} ${reason}`,
      "end",
    ]);
  });

  it("goes away on request", async () => {
    const bench = bootBoard(
      `var w = require("Wifi"); w.on("disconnected", function (d) { print(d.msg); });
       w.connect("home", { password: "secret" }, function () { w.disconnect(function () {
         print(w.getStatus().mode, w.getIP().ip); }); })`,
      { wifi },
    );
    expect(await bench.line("NULL")).toBe("NULL 0.0.0.0");
    expect(bench.lines[0]).toBe("ASSOC_LEAVE");
  });

  it("never answers where no DHCP does, and may be called off", async () => {
    const bench = bootBoard(
      `var w = require("Wifi");
       ["associated", "disconnected"].forEach(function (name) {
         w.on(name, function () { print(name, w.getStatus().station, w.getIP().ip); }); });
       w.connect("home", { password: "secret" }, function (e) { print("answer", e); });
       setTimeout(function () { w.disconnect(); }, 200);`,
      { wifi: [{ ssid: "home", password: "secret", dhcp: false }] },
    );
    expect(await bench.line("answer")).toBe("answer ASSOC_LEAVE");
    expect(bench.lines).toEqual([
      "associated connected 0.0.0.0",
      "disconnected ASSOC_LEAVE 0.0.0.0",
      "answer ASSOC_LEAVE",
    ]);
  });

  const losing = `var w = require("Wifi");
    w.on("associated", function () { print("associated"); });
    w.on("disconnected", function (d) { print(d.msg); });
    w.connect("home", { password: "secret" }, function (e) { print("answer", e); });`;

  it("joins again without a word when it is lost for a moment", async () => {
    const bench = bootBoard(losing, { wifi });
    await bench.line("answer");
    bench.lines.length = 0;
    bench.board.loseWifi();
    await bench.line("associated");
    expect(bench.lines).toEqual(["associated"]);
  });

  it("says so once it has tried twice more in vain", async () => {
    const points = wifi.slice();
    const bench = bootBoard(losing, { wifi: points });
    await bench.line("answer");
    points.length = 0;
    bench.lines.length = 0;
    bench.board.loseWifi();
    expect(await bench.line("NO_AP_FOUND")).toBe("NO_AP_FOUND");
    expect(bench.lines).toEqual(["NO_AP_FOUND"]);
  });

  it("takes no address, and calls that null", async () => {
    const bench = bootBoard(
      `var w = require("Wifi"), a = { ip: "192.0.2.77", netmask: "255.255.255.0", gw: "192.0.2.1" };
       function tell(e) { try { e() } catch (x) { print(x.message) } }
       ["ip", "gw", "netmask"].forEach(function (name) {
         var b = { ip: a.ip, netmask: a.netmask, gw: a.gw }; b[name] = "x";
         tell(function () { w.setIP(b, print) }); });
       tell(function () { w.setIP() });
       tell(function () { w.setIP(a) });
       w.connect("home", { password: "secret" }, function () {
         w.setIP(a, function (e) { print("set", e, w.getIP().ip); }); });`,
      { wifi },
    );
    expect(await bench.line("set")).toBe("set null 192.0.2.10");
    expect(bench.lines.slice(0, 5)).toEqual([
      "Not a valid IP address",
      "Not a valid Gateway address",
      "Not a valid Netmask",
      "Expecting Object, got undefined",
      "Callback is not a function",
    ]);
  });

  it("has the password in its details, and the signal strength in its status alone", async () => {
    const bench = bootBoard(
      `var w = require("Wifi"); function tell() {
         print(w.getDetails().password, w.getDetails().rssi, w.getStatus().rssi); }
       tell(); w.connect("home", { password: "secret" }, tell);`,
      { wifi },
    );
    expect(await bench.line("secret")).toBe("secret undefined -50");
    expect(bench.lines[0]).toBe("undefined undefined undefined");
  });

  it("cuts an SSID and a password that its buffers do not hold", async () => {
    const point = { ssid: "s".repeat(31), password: "p".repeat(63) };
    const bench = bootBoard(
      `require("Wifi").connect("${point.ssid}s", { password: "${point.password}p" },
         function (e) { print("answer", e); });`,
      { wifi: [point] },
    );
    expect(await bench.line("answer")).toBe("answer null");
  });
});
