/**
 * What a board answers to Improv's commands: it takes a Wi-Fi network and tells what is in the
 * air, and shows nothing of what it was given before.
 */
import { type Bytes, chars } from "../../protocol/bytes.ts";
import {
  COMMAND_INFO,
  COMMAND_SCAN,
  COMMAND_STATE,
  COMMAND_WIFI,
  ERROR_COMMAND,
  ERROR_CONNECT,
  ERROR_FORM,
  ERROR_NONE,
  ERROR_UNKNOWN,
  LONGEST_PASSWORD,
  LONGEST_SSID,
  makePacket,
  makeTexts,
  PACKET_COMMAND,
  PACKET_ERROR,
  PACKET_RESULT,
  PACKET_STATE,
  readTexts,
  STATE_AUTHORIZED,
  STATE_PROVISIONED,
  STATE_PROVISIONING,
} from "../../protocol/improv.ts";
import type { WifiNetwork } from "../network-settings.ts";
import type { Log } from "../ports.ts";

/** Four texts, each with its length, fit into a packet of 255. */
const LONGEST_INFO = 60;

/** A network in the air. */
export interface FoundNetwork {
  ssid: string;
  rssi: number;
  isOpen: boolean;
}

export interface ImprovPorts {
  log: Log;
  send: (packet: Bytes) => void;
  /** Firmware, its version, the chip and the board. */
  info: string[];
  /** Calls back with what is in the air, undefined where nobody could tell. */
  scan: (done: (found: FoundNetwork[] | undefined) => void) => void;
  /** Throws for a network that this board could not work with. */
  check: (network: WifiNetwork) => void;
  /** Tries it, and calls back: undefined, or why not. */
  join: (network: WifiNetwork, done: (why: string | undefined) => void) => void;
  /** Throws where it could not be stored; what was there before is there then. */
  keep: (network: WifiNetwork) => void;
  /** A network is kept: the board is to start with it. */
  restart: () => void;
}

/** Takes each packet that has come. */
export function createImprov(ports: ImprovPorts): (type: number, data: Bytes) => void {
  let state = STATE_AUTHORIZED;
  let isBusy = false;
  let hasFailed = false;

  function tell(type: number, value: number): void {
    ports.send(makePacket(type, chars(value)));
  }

  function move(next: number): void {
    state = next;
    tell(PACKET_STATE, state);
  }

  function refuse(error: number): void {
    hasFailed = true;
    tell(PACKET_ERROR, error);
  }

  function answer(command: number, texts: string[]): void {
    ports.send(makePacket(PACKET_RESULT, makeTexts(command, texts)));
  }

  function fail(error: number, why: string): void {
    ports.log("Wi-Fi by Improv: " + why);
    refuse(error);
    move(STATE_AUTHORIZED);
  }

  function joined(network: WifiNetwork, why: string | undefined): void {
    isBusy = false;
    if (why !== undefined) {
      fail(ERROR_CONNECT, why);
      return;
    }
    try {
      ports.keep(network);
    } catch (error) {
      fail(ERROR_UNKNOWN, "not stored, " + (error as Error).message);
      return;
    }
    ports.log("Wi-Fi by Improv: joined and kept, restarting");
    move(STATE_PROVISIONED);
    answer(COMMAND_WIFI, []);
    ports.restart();
  }

  function takeNetwork(texts: string[]): void {
    const ssid = texts[0] as string;
    const password = texts[1] as string;
    if (texts.length !== 2 || ssid.length > LONGEST_SSID || password.length > LONGEST_PASSWORD) {
      refuse(ERROR_FORM);
      return;
    }
    const network = { ssid: ssid, password: password };
    try {
      ports.check(network);
    } catch (error) {
      fail(ERROR_CONNECT, (error as Error).message);
      return;
    }
    isBusy = true;
    move(STATE_PROVISIONING);
    ports.join(network, (why) => joined(network, why));
  }

  function scan(): void {
    isBusy = true;
    ports.scan(function (found) {
      isBusy = false;
      if (found === undefined) {
        refuse(ERROR_UNKNOWN);
        return;
      }
      found.forEach(function (network) {
        answer(COMMAND_SCAN, [network.ssid, "" + network.rssi, network.isOpen ? "NO" : "YES"]);
      });
      answer(COMMAND_SCAN, []);
    });
  }

  return function take(type, data) {
    // What else there is only boards send.
    if (type !== PACKET_COMMAND) return;
    const command = data.charCodeAt(0);
    const texts = readTexts(data);
    if (hasFailed) {
      hasFailed = false;
      tell(PACKET_ERROR, ERROR_NONE);
    }
    if (texts === undefined) refuse(ERROR_FORM);
    else if (command === COMMAND_STATE) move(state);
    else if (command === COMMAND_INFO)
      answer(
        command,
        ports.info.map((text) => text.substring(0, LONGEST_INFO)),
      );
    else if (command !== COMMAND_WIFI && command !== COMMAND_SCAN) refuse(ERROR_COMMAND);
    // The radio does one thing at a time, and the board is about to restart once it is done.
    else if (isBusy || state === STATE_PROVISIONED) refuse(ERROR_UNKNOWN);
    else if (command === COMMAND_SCAN) scan();
    else takeNetwork(texts);
  };
}
