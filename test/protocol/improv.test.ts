import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COMMAND_WIFI,
  createPacketReader,
  makePacket,
  makeTexts,
  PACKET_COMMAND,
  PACKET_STATE,
  readTexts,
} from "../../protocol/improv.ts";

const SSID = "MyWirelessAP";
const PASSWORD = "thisismypassword";
/** Wi-Fi settings with ssid and password, from improv-wifi.com/serial. */
const WIFI = makePacket(PACKET_COMMAND, makeTexts(COMMAND_WIFI, [SSID, PASSWORD]));

function read(...pieces: string[]) {
  const packets: [number, string][] = [];
  let other = "";
  const reader = createPacketReader(
    (type, data) => packets.push([type, data]),
    (text) => {
      other += text;
    },
  );
  for (const piece of pieces) reader.take(piece);
  return { reader, packets, other: () => other };
}

const wifi = [PACKET_COMMAND, makeTexts(COMMAND_WIFI, [SSID, PASSWORD])];

describe("an Improv packet", () => {
  it("is, byte for byte, what the specification says", () => {
    const hex = Buffer.from(WIFI, "latin1").toString("hex");
    expect(hex).toBe(
      `494d50524f56010320011e0c${Buffer.from(SSID).toString("hex")}10${Buffer.from(PASSWORD).toString("hex")}ce0a`,
    );
    expect(makePacket(PACKET_STATE, "\x02")).toBe("IMPROV\x01\x01\x01\x02\xe2\n");
  });

  it("is found between the lines of a console, whose other bytes pass as they are", () => {
    const { packets, other } = read(`>1+1\r\nI IM IMPROVE${WIFI}=2\r\n${WIFI}${WIFI}\nI`);
    expect(packets).toEqual([wifi, wifi, wifi]);
    expect(other()).toBe(">1+1\r\nI IM IMPROVE=2\r\n\n");
  });

  it("may come without its line feed, which else no one sees", () => {
    const { packets, other } = read(WIFI.slice(0, -1), "x", WIFI.slice(0, -1), "\n", "\n");
    expect(packets).toEqual([wifi, wifi]);
    expect(other()).toBe("x\n");
  });

  it("is the same however it is cut, and so is what stands around it", () => {
    const whole = `a${WIFI}bIMPROIMPROV${WIFI}`;
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
        const { packets, other } = read(...pieces);
        expect(packets).toEqual([wifi, wifi]);
        expect(other()).toBe("abIMPROIMPROV");
      }),
    );
  });

  it("with any one byte changed is none, and the next one is read all the same", () => {
    for (let at = 0; at < WIFI.length - 1; at++) {
      const wrong = String.fromCharCode(WIFI.charCodeAt(at) ^ 0x20);
      const damaged = WIFI.slice(0, at) + wrong + WIFI.slice(at + 1);
      // As many as a length that grew can swallow.
      const { packets } = read(damaged, WIFI, WIFI, WIFI, WIFI);
      expect(packets.length, `byte ${at}`).toBeGreaterThanOrEqual(4);
      for (const packet of packets) expect(packet).toEqual(wifi);
    }
  });

  it("that is damaged shows the console nothing of it, until a pause or the next", () => {
    for (let at = 7; at < WIFI.length - 1; at++) {
      const damaged = WIFI.slice(0, at) + String.fromCharCode(WIFI.charCodeAt(at) ^ 1);
      const { reader, other } = read(damaged + WIFI.slice(at + 1), "x".repeat(40));
      expect(other(), `byte ${at}`).toBe("");
      expect(reader.isWaiting()).toBe(true);
      reader.expire();
      expect(reader.isWaiting()).toBe(false);
      reader.take("y");
      expect(other()).toBe("y");
    }
  });

  it("that stays half is given up after a pause: its start to the console, more to nobody", () => {
    for (let length = 1; length < WIFI.length - 1; length++) {
      const { reader, packets, other } = read(WIFI.slice(0, length));
      expect(reader.isWaiting()).toBe(true);
      reader.expire();
      expect(other()).toBe(length < 7 ? WIFI.slice(0, length) : "");
      reader.take(WIFI);
      expect(packets).toEqual([wifi]);
    }
  });

  it("leaves any other bytes as they were", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."IMPROV\x01\n>a") }), (text) => {
        fc.pre(!text.includes("IMPROV\x01"));
        const { reader, packets, other } = read(text);
        reader.expire();
        expect(packets).toEqual([]);
        expect(other()).toBe(text);
      }),
    );
  });
});

describe("the texts of a command", () => {
  it("are read as they were made", () => {
    for (const texts of [[], [""], ["a", ""], [SSID, PASSWORD], ["\xe4", "b", "c", "d"]])
      expect(readTexts(makeTexts(1, texts))).toEqual(texts);
  });

  it.each([
    ["nothing", ""],
    ["no length", "\x01"],
    ["a length that is too long", "\x01\x05\x01a"],
    ["a length that is too short", "\x01\x01\x01a"],
    ["a text that is too long", "\x01\x02\x02a"],
    ["a text without its end", "\x01\x03\x01a\x01"],
  ])("are refused: %s", (_, data) => expect(readTexts(data)).toBeUndefined());
});
