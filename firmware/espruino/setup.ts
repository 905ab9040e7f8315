/** Setup and Improv on Espruino's own parts: its one serial line, and its Wi-Fi. */
import type { Bytes } from "../../protocol/bytes.ts";
import { createPacketReader, QUIET_MS } from "../../protocol/improv.ts";
import { type Board, SETTINGS_FILE } from "../config.ts";
import type { Clock } from "../ports.ts";
import { runSetup, type SetupService, startImprov } from "../setup/setup.ts";
import { createRadio } from "./radio.ts";

/**
 * An ESP32's console is on Serial1, whether UART 0 is behind that or the chip's own USB. What is on
 * it as a console comes as no event, so the console goes to the loopback, and all that is no packet
 * goes there too. A console that is locked stays away, and what is no packet is dropped.
 */
function shareSerial(clock: Clock, onPacket: (type: number, data: Bytes) => void) {
  const isOpen = E.getConsole() !== null;
  let timer = 0;
  const reader = createPacketReader(onPacket, function (text) {
    if (isOpen) LoopbackB.write(text);
  });
  Serial1.on("data", function (data) {
    reader.take(data);
    clock.clearTimeout(timer);
    if (reader.isWaiting()) timer = clock.setTimeout(reader.expire, QUIET_MS);
  });
  if (isOpen) {
    LoopbackB.on("data", function (text) {
      Serial1.write(text);
    });
    E.setConsole(LoopbackA, { force: true });
  }
  return function (packet: Bytes): void {
    Serial1.write(packet);
  };
}

/** `isUnset`: it is in setup, otherwise in safe mode, which looks after itself. */
export function waitForNetwork(
  service: SetupService,
  board: Board,
  version: string,
  isUnset: boolean,
): void {
  const radio = createRadio(require("Wifi"), service.clock);
  startImprov(
    service,
    {
      info: ["coseflow", version, process.env.BOARD, board.name],
      scan: radio.scan,
      join: radio.join,
      readSettings: () => require("Storage").readJSON(SETTINGS_FILE, true),
    },
    (onPacket) => shareSerial(service.clock, onPacket),
  );
  if (isUnset) runSetup(service);
}
