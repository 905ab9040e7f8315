/**
 * Improv over a serial line, version 1 (improv-wifi.com/serial): how whoever holds the cable
 * gives a board its Wi-Fi network. Packets come between the lines of a console:
 * "IMPROV", version, type, length, data, the sum of all these, and a line feed.
 */
import { type Bytes, bytes, chars } from "./bytes.ts";

/** Types of packets. */
export const PACKET_STATE = 1;
export const PACKET_ERROR = 2;
export const PACKET_COMMAND = 3;
export const PACKET_RESULT = 4;

/** What a board is, in PACKET_STATE. */
export const STATE_AUTHORIZED = 2;
export const STATE_PROVISIONING = 3;
export const STATE_PROVISIONED = 4;

/** What became of the last command, in PACKET_ERROR. */
export const ERROR_NONE = 0;
export const ERROR_FORM = 1;
export const ERROR_COMMAND = 2;
export const ERROR_CONNECT = 3;
export const ERROR_UNKNOWN = 255;

/** First byte of PACKET_COMMAND, and of the results that answer it. */
export const COMMAND_WIFI = 1;
export const COMMAND_STATE = 2;
export const COMMAND_INFO = 3;
export const COMMAND_SCAN = 4;

/** IEEE 802.11: of an SSID; of a passphrase, or a key in hexadecimal digits. */
export const LONGEST_SSID = 32;
export const LONGEST_PASSWORD = 64;

const START = "IMPROV\x01";
/** Type and length follow. */
const HEAD_LENGTH = START.length + 2;

/** So long without a byte, and what has begun is no packet: 265 bytes take 23 ms. */
export const QUIET_MS = 500;

function sumOf(packet: string): number {
  let sum = 0;
  for (let i = 0; i < packet.length; i++) sum += packet.charCodeAt(i);
  return sum & 255;
}

export function makePacket(type: number, data: string): Bytes {
  const packet = START + chars(type, data.length) + data;
  return bytes(packet + chars(sumOf(packet)) + "\n");
}

/** A command or its result: what it is about, then texts with their lengths. */
export function makeTexts(command: number, texts: string[]): string {
  let all = "";
  texts.forEach(function (text) {
    all += chars(text.length) + text;
  });
  return chars(command, all.length) + all;
}

/** The texts of a command or result; undefined where the lengths do not add up. */
export function readTexts(data: string): string[] | undefined {
  const texts: string[] = [];
  if (data.length < 2 || data.charCodeAt(1) !== data.length - 2) return undefined;
  let at = 2;
  while (at < data.length) {
    const end = at + 1 + data.charCodeAt(at);
    if (end > data.length) return undefined;
    texts.push(data.substring(at + 1, end));
    at = end;
  }
  return texts;
}

/**
 * Parts a line's bytes into packets and all else. What has begun as a packet and is none may
 * have a password in it: from there to the next packet, or to a pause, nothing is passed on.
 */
export function createPacketReader(
  onPacket: (type: number, data: Bytes) => void,
  onOther: (text: Bytes) => void,
) {
  let held = "";
  let skips = false;
  let ended = false;

  function pass(text: string): void {
    if (!skips && text !== "") onOther(text as Bytes);
  }

  return {
    take(data: string): void {
      let text = held + data;
      let other = "";
      held = "";
      while (text !== "") {
        const isHead = text.length >= HEAD_LENGTH;
        const length = HEAD_LENGTH + (isHead ? text.charCodeAt(HEAD_LENGTH - 1) : 0) + 1;
        const start = text.substring(0, START.length);
        const from = text.indexOf("I");
        if (ended && text.charAt(0) === "\n") text = text.substring(1);
        else if (from !== 0) {
          other += from < 0 ? text : text.substring(0, from);
          text = from < 0 ? "" : text.substring(from);
        } else if (start !== START.substring(0, start.length)) {
          other += "I";
          text = text.substring(1);
        } else if (text.length < length) {
          held = text;
          text = "";
        } else {
          const sum = text.charCodeAt(length - 1);
          const packet = text.substring(0, length - 1);
          pass(other);
          other = "";
          skips = sumOf(packet) !== sum;
          // A packet that is damaged may have swallowed the start of the next.
          text = text.substring(skips ? START.length : length);
          if (!skips)
            onPacket(packet.charCodeAt(START.length), packet.substring(HEAD_LENGTH) as Bytes);
          ended = !skips;
          continue;
        }
        ended = false;
      }
      pass(other);
    },

    /** Whether a pause of QUIET_MS has to be told. */
    isWaiting: () => held !== "" || skips,

    /** No byte has come for QUIET_MS. */
    expire(): void {
      if (held.length < START.length) pass(held);
      held = "";
      skips = false;
    },
  };
}
