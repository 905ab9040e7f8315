/** The side that holds the cable, and the firmware's own answers at the other end of it. */
import { describe, expect, it } from "vitest";
import { createImprov, type ImprovPorts } from "../../../firmware/setup/improv.ts";
import { type Bytes, chars } from "../../../protocol/bytes.ts";
import {
  COMMAND_STATE,
  createPacketReader,
  ERROR_COMMAND,
  makePacket,
  PACKET_ERROR,
} from "../../../protocol/improv.ts";
import type { Port } from "../../../scripts/flash/port.ts";
import { openImprov } from "../../../scripts/serial/improv.ts";

const NETWORK = ["greenhouse", "hush-hush"] as const;

/** A port whose other end takes packets, and sends what it is given. */
function createPort(start: (send: (bytes: string) => void) => (type: number, data: Bytes) => void) {
  let readable: ReadableStream<Uint8Array> | null = null;
  let writable: WritableStream<Uint8Array> | null = null;
  const port: Port = {
    get readable() {
      return readable;
    },
    get writable() {
      return writable;
    },
    async open() {
      let arrive: (bytes: Uint8Array) => void = () => {};
      readable = new ReadableStream({
        start(controller) {
          arrive = (bytes) => controller.enqueue(bytes);
        },
      });
      const take = start((bytes) => arrive(Buffer.from(bytes, "latin1")));
      const reader = createPacketReader(take, () => {});
      writable = new WritableStream({
        write: (bytes) => reader.take(Buffer.from(bytes).toString("latin1")),
      });
    },
    async close() {
      readable = null;
      writable = null;
    },
    async setSignals() {},
    getInfo: () => ({}),
  };
  return port;
}

function plugIn(ports: Partial<ImprovPorts> = {}) {
  return createPort((send) =>
    createImprov({
      log: () => {},
      send,
      info: ["coseflow", "1.0.0", "chip", "board"],
      scan: (done) => done([]),
      check: () => {},
      join: (_network, done) => done(undefined),
      keep: () => {},
      restart: () => {},
      ...ports,
    }),
  );
}

describe("who gives a board its network", () => {
  it("hears of error 1 that the board refuses the command", async () => {
    const improv = await openImprov(plugIn());
    await expect(improv.provision("s".repeat(33), "hush-hush")).rejects.toMatchObject({
      reason: "board, expected to take the command, got it refused",
      next: "run it again",
    });
    // The same line goes on: the error is over with the next command.
    await improv.provision(...NETWORK);
    await improv.close();
  });

  it("hears of error 2 that the board does not know the command", async () => {
    const older = createPort((send) => (type, data) => {
      const isState = data.charCodeAt(0) === COMMAND_STATE;
      send(isState ? makePacket(1, chars(2)) : makePacket(PACKET_ERROR, chars(ERROR_COMMAND)));
      expect(type).toBe(3);
    });
    const improv = await openImprov(older);
    await expect(improv.scan()).rejects.toMatchObject({
      reason: "board, expected to know the command, got that it does not",
      next: "flash it anew",
    });
    await improv.close();
  });

  it("hears of error 255 what to do, and has the board as it was", async () => {
    const full = () => {
      throw new Error("record, expected to be written, got nothing");
    };
    const improv = await openImprov(plugIn({ keep: full, scan: (done) => done(undefined) }));
    const failure = {
      reason: "board, expected it to do so, got error 255",
      next: "press RESET and run it again",
    };
    await expect(improv.provision(...NETWORK)).rejects.toMatchObject(failure);
    await expect(improv.scan()).rejects.toMatchObject(failure);
    expect((await improv.info())[3]).toBe("board");
    await improv.close();
  });
});
