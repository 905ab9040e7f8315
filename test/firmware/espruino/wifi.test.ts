import { beforeEach, describe, expect, it } from "vitest";
import { joinWifi, readRssi } from "../../../firmware/espruino/wifi.ts";
import type { WifiNetwork } from "../../../firmware/network-settings.ts";
import type { Bytes } from "../../../protocol/bytes.ts";
import { createHandWifi, type HandWifi } from "../../support/hand-wifi.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";

const HOME = { ssid: "home", password: "home password" };
const AWAY = { ssid: "away", password: "away password" };
const ADDRESS = { ip: "192.0.2.77", netmask: "255.255.255.0", gateway: "192.0.2.1" };

describe("Wi-Fi", () => {
  let clock: ManualClock;
  let wifi: HandWifi;
  let log: string[];
  let joined: number;
  let random: () => Bytes;

  function start(networks: WifiNetwork[]): void {
    const ports = { wifi, clock, log: (line: string) => log.push(line), random: () => random() };
    joinWifi(ports, networks, () => joined++);
  }

  const names = () => wifi.attempts.map((attempt) => attempt[0]).join("");
  /** The attempt fails as Espruino's do: the event first, then the callback. */
  function refuse(): void {
    wifi.emit("disconnected", { msg: "NO_AP_FOUND" });
    wifi.answer("NO_AP_FOUND");
  }
  function lose(): void {
    wifi.station = "BEACON_TIMEOUT";
    wifi.ip = "0.0.0.0";
    wifi.emit("disconnected");
  }

  beforeEach(() => {
    clock = createManualClock();
    wifi = createHandWifi();
    log = [];
    joined = 0;
    random = () => "\xff\xff" as Bytes;
  });

  it("joins, and says as whom and how well", () => {
    start([HOME]);
    expect(wifi.attempts).toEqual(["home:home password"]);
    expect(joined).toBe(0);
    wifi.accept();
    expect(joined).toBe(1);
    expect(log).toEqual(["Wi-Fi: joined home as 192.0.2.10, -61 dBm"]);
    expect(readRssi(wifi)).toBe(-61);
    expect(wifi.set).toEqual([]);
  });

  it("has no signal strength without a link", () => {
    start([HOME]);
    expect(readRssi(wifi)).toBeUndefined();
  });

  it("tries two networks in turn, each refusal once, until one takes it", () => {
    start([HOME, AWAY]);
    refuse();
    clock.advance(2);
    expect(names()).toBe("ha");
    refuse();
    clock.advance(2);
    expect(names()).toBe("hah");
    wifi.accept();
    expect(joined).toBe(1);
    expect(log.join()).not.toContain("password");
  });

  it("backs off up to two minutes, a second more for the radio to stop, for ever", () => {
    start([HOME]);
    const gaps: number[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      const before = clock.uptime();
      const count = wifi.attempts.length;
      refuse();
      while (wifi.attempts.length === count) clock.advance(0.5);
      gaps.push(Math.round(clock.uptime() - before));
    }
    expect(gaps).toEqual([2, 3, 5, 9, 17, 33, 65, 121, 121, 121]);
  });

  it("takes its jitter from the random source, and waits in full when that fails", () => {
    random = () => "\0\0" as Bytes;
    start([HOME]);
    refuse();
    clock.advance(1);
    expect(names()).toBe("hh");
    random = () => {
      throw new Error("random");
    };
    refuse();
    clock.advance(2.5);
    expect(names()).toBe("hh");
    clock.advance(0.5);
    expect(names()).toBe("hhh");
  });

  it("gives up an attempt that is never answered, and takes no late answer to it", () => {
    start([HOME, AWAY]);
    clock.advance(59);
    expect(wifi.disconnects).toBe(0);
    clock.advance(1);
    expect(wifi.disconnects).toBe(1);
    wifi.emit("disconnected", { msg: "ASSOC_LEAVE" });
    wifi.answer("ASSOC_LEAVE");
    expect(log).toEqual(["Wi-Fi: not joined, no answer; next attempt in 2 s"]);
    clock.advance(2);
    expect(names()).toBe("ha");
    wifi.answer(null, 0);
    expect(joined).toBe(0);
    wifi.accept();
    expect(joined).toBe(1);
    expect(clock.pending()).toBe(1);
  });

  it("survives a connect that throws", () => {
    wifi.onConnect = () => {
      throw new Error("Wi-Fi is off");
    };
    start([HOME]);
    wifi.onConnect = () => {};
    clock.advance(2);
    wifi.accept();
    expect(joined).toBe(1);
  });

  it("joins a network that is lost again, the same one first", () => {
    start([HOME, AWAY]);
    wifi.accept();
    clock.advance(60);
    lose();
    clock.advance(2);
    expect(names()).toBe("hh");
    wifi.accept();
    expect(joined).toBe(1);
    expect(log[1]).toBe("Wi-Fi: lost, BEACON_TIMEOUT; next attempt in 2 s");
  });

  it("goes to the other network when a link does not last a minute, and keeps backing off", () => {
    start([HOME, AWAY]);
    for (let turn = 0; turn < 4; turn++) {
      wifi.accept();
      clock.advance(5);
      lose();
      clock.advance(5);
    }
    expect(names()).toBe("hahah");
    expect(log[7]).toMatch(/next attempt in 3 s$/);
  });

  it.each([
    ["address", { ip: "0.0.0.0" }],
    ["link", { station: "AUTH_EXPIRE" }],
  ])("notices within a minute that it lost its %s without a word", (_name, state) => {
    start([HOME]);
    wifi.accept();
    clock.advance(60);
    Object.assign(wifi, state);
    clock.advance(60);
    expect(wifi.disconnects).toBe(1);
    expect(log[1]).toMatch(/^Wi-Fi: lost; /);
    clock.advance(2);
    wifi.accept();
    expect(log[2]).toMatch(/^Wi-Fi: joined/);
  });

  describe("with an address of its own", () => {
    it("sets it at each link, under Espruino's names", () => {
      start([{ ...HOME, address: ADDRESS }]);
      expect(wifi.set).toEqual([]);
      wifi.accept(ADDRESS.ip);
      const given = { ip: ADDRESS.ip, netmask: ADDRESS.netmask, gw: ADDRESS.gateway };
      expect(wifi.set).toEqual([given]);
      expect(log).toEqual(["Wi-Fi: joined home as 192.0.2.77, -61 dBm"]);
      wifi.emit("associated");
      expect(wifi.set).toEqual([given, given]);
    });

    it("says so when it got another one, and goes on with that", () => {
      start([{ ...HOME, address: ADDRESS }]);
      wifi.accept("192.0.2.10");
      expect(joined).toBe(1);
      expect(log[1]).toMatch(/^Wi-Fi: address, expected 192\.0\.2\.77, got DHCP's/);
    });
  });
});
