import { beforeEach, describe, expect, it } from "vitest";
import type { WifiNetwork } from "../../../firmware/network-settings.ts";
import { createImprov, type ImprovPorts } from "../../../firmware/setup/improv.ts";
import { type Bytes, chars } from "../../../protocol/bytes.ts";
import {
  COMMAND_INFO,
  COMMAND_SCAN,
  COMMAND_STATE,
  COMMAND_WIFI,
  createPacketReader,
  ERROR_COMMAND,
  ERROR_CONNECT,
  ERROR_FORM,
  ERROR_NONE,
  ERROR_UNKNOWN,
  makeTexts,
  PACKET_COMMAND,
  PACKET_ERROR,
  PACKET_RESULT,
  PACKET_STATE,
  readTexts,
  STATE_AUTHORIZED,
  STATE_PROVISIONED,
  STATE_PROVISIONING,
} from "../../../protocol/improv.ts";

const SSID = "greenhouse";
const PASSWORD = "hush-hush";
const NETWORK = makeTexts(COMMAND_WIFI, [SSID, PASSWORD]);

const error = (code: number) => [PACKET_ERROR, chars(code)];
const state = (code: number) => [PACKET_STATE, chars(code)];
const result = (command: number, texts: string[]) => [PACKET_RESULT, makeTexts(command, texts)];

describe("a board that takes Improv's commands", () => {
  let sent: (number | string)[][];
  let log: string[];
  let kept: WifiNetwork[];
  let restarts: number;
  let joined: (why: string | undefined) => void;
  let heard: Parameters<ImprovPorts["scan"]>[0];
  let keep: ImprovPorts["keep"];
  let check: ImprovPorts["check"];
  let take: (data: string, type?: number) => (number | string)[][];

  beforeEach(() => {
    sent = [];
    log = [];
    kept = [];
    restarts = 0;
    keep = (network) => kept.push(network);
    check = () => {};
    const reader = createPacketReader(
      (type, data) => sent.push([type, data]),
      (text) => expect.unreachable(text),
    );
    const improv = createImprov({
      log: (line) => log.push(line),
      send: reader.take,
      info: ["coseflow", "1.0.0", "ESP32C3", "x".repeat(300)],
      scan: (done) => {
        heard = done;
      },
      check: (network) => check(network),
      join: (_network, done) => {
        joined = done;
      },
      keep: (network) => keep(network),
      restart: () => restarts++,
    });
    take = (data, type = PACKET_COMMAND) => {
      sent.length = 0;
      improv(type, data as Bytes);
      return [...sent];
    };
  });

  it.each([
    ["nothing", ""],
    ["no length", chars(COMMAND_WIFI)],
    ["a length that is not the text's", chars(COMMAND_STATE, 1)],
    ["a text that is longer than the rest", chars(COMMAND_WIFI, 2, 9, 65)],
    ["a network without a password", makeTexts(COMMAND_WIFI, [SSID])],
    ["three texts", makeTexts(COMMAND_WIFI, [SSID, PASSWORD, ""])],
    ["an SSID that is none", makeTexts(COMMAND_WIFI, ["s".repeat(33), PASSWORD])],
    ["a password that is none", makeTexts(COMMAND_WIFI, [SSID, "p".repeat(65)])],
  ])("answers %s with error 1, and then with none", (_what, data) => {
    expect(take(data)).toEqual([error(ERROR_FORM)]);
    expect(take(makeTexts(COMMAND_STATE, []))).toEqual([
      error(ERROR_NONE),
      state(STATE_AUTHORIZED),
    ]);
    expect(take(makeTexts(COMMAND_STATE, []))).toEqual([state(STATE_AUTHORIZED)]);
    expect(log).toEqual([]);
  });

  it("answers every command that it does not know with error 2", () => {
    const known = [COMMAND_WIFI, COMMAND_STATE, COMMAND_INFO, COMMAND_SCAN];
    for (let command = 0; command < 256; command++) {
      if (known.includes(command)) continue;
      const answer = take(makeTexts(command, [SSID])).filter(([, data]) => data !== "\0");
      expect(answer, `command ${command}`).toEqual([error(ERROR_COMMAND)]);
    }
  });

  it("answers error 255 where it is at something else, and goes on with that", () => {
    take(makeTexts(COMMAND_SCAN, []));
    expect(take(makeTexts(COMMAND_SCAN, []))).toEqual([error(ERROR_UNKNOWN)]);
    expect(take(NETWORK)).toEqual([error(ERROR_NONE), error(ERROR_UNKNOWN)]);
    sent.length = 0;
    heard([{ ssid: SSID, rssi: -40, isOpen: false }]);
    expect(sent).toEqual([result(COMMAND_SCAN, [SSID, "-40", "YES"]), result(COMMAND_SCAN, [])]);
    expect(take(NETWORK)).toEqual([error(ERROR_NONE), state(STATE_PROVISIONING)]);
    expect(take(NETWORK)).toEqual([error(ERROR_UNKNOWN)]);
    expect(take(makeTexts(COMMAND_STATE, []))).toEqual([
      error(ERROR_NONE),
      state(STATE_PROVISIONING),
    ]);
    joined(undefined);
    expect(take(NETWORK)).toEqual([error(ERROR_UNKNOWN)]);
    expect([kept.length, restarts]).toEqual([1, 1]);
  });

  it("answers error 255 where nobody can tell what is in the air", () => {
    take(makeTexts(COMMAND_SCAN, []));
    heard(undefined);
    expect(sent).toEqual([error(ERROR_UNKNOWN)]);
    take(makeTexts(COMMAND_SCAN, []));
    heard([]);
    expect(sent).toEqual([error(ERROR_NONE), result(COMMAND_SCAN, [])]);
  });

  it("answers error 255 where the network is not stored, does not restart, and takes it again", () => {
    const store = keep;
    keep = () => {
      throw new Error("record, expected to be written, got nothing");
    };
    take(NETWORK);
    joined(undefined);
    expect(sent).toEqual([
      state(STATE_PROVISIONING),
      error(ERROR_UNKNOWN),
      state(STATE_AUTHORIZED),
    ]);
    expect(restarts).toBe(0);
    keep = store;
    expect(take(NETWORK)).toEqual([error(ERROR_NONE), state(STATE_PROVISIONING)]);
    joined(undefined);
    expect(kept).toEqual([{ ssid: SSID, password: PASSWORD }]);
    expect(sent.slice(2)).toEqual([state(STATE_PROVISIONED), result(COMMAND_WIFI, [])]);
    expect(log.join()).not.toContain(PASSWORD);
  });

  it("answers error 3 where it cannot work with the network, or does not join it", () => {
    check = () => {
      throw new Error("brokers, expected a list, got none");
    };
    expect(take(NETWORK)).toEqual([error(ERROR_CONNECT), state(STATE_AUTHORIZED)]);
    check = () => {};
    take(NETWORK);
    joined("not joined, NO_AP_FOUND");
    expect(sent.slice(2)).toEqual([error(ERROR_CONNECT), state(STATE_AUTHORIZED)]);
    expect([kept.length, restarts]).toEqual([0, 0]);
    expect(log).toEqual([
      "Wi-Fi by Improv: brokers, expected a list, got none",
      "Wi-Fi by Improv: not joined, NO_AP_FOUND",
    ]);
  });

  it("says no more of itself than a packet holds, and nothing to what only boards send", () => {
    const [answer] = take(makeTexts(COMMAND_INFO, []));
    expect(readTexts(`${answer?.[1]}`)?.[3]).toBe("x".repeat(60));
    for (const type of [PACKET_STATE, PACKET_ERROR, PACKET_RESULT, 5, 255])
      expect(take(NETWORK, type)).toEqual([]);
  });
});
