import { FlashFailure } from "../flash/failure.ts";
import type { Port } from "../flash/port.ts";

/** What is used of a browser's Web Serial. */
export interface Serial {
  requestPort(): Promise<Port>;
  /** Those that the person has allowed, as far as they are plugged in. */
  getPorts(): Promise<Port[]>;
}

function explainPort(error: unknown): FlashFailure {
  const message = error instanceof Error ? error.message : String(error);
  return new FlashFailure(
    "port",
    `the port does not open (${message}): another program has it, or it may not be used`,
    "close what has it, a monitor or another tab, and try again; coseflow doctor looks further",
  );
}

const usbOf = (port: Port) => JSON.stringify(port.getInfo());

/**
 * A port that is the same for us when the board was away: a browser may have another object
 * for it then. One that was there before is another board, however alike.
 */
function follow(chosen: Port, serial: Serial, before: Port[]): Port {
  let current = chosen;
  let wasOpen = false;

  async function open(options: { baudRate: number }): Promise<void> {
    try {
      await current.open(options);
    } catch (error) {
      const isNew = (port: Port) => !before.includes(port) && port !== current;
      const back = (await serial.getPorts()).find((port) => isNew(port) && usbOf(port) === usb);
      if (!wasOpen || back === undefined) throw explainPort(error);
      current = back;
      await current.open(options);
    }
    wasOpen = true;
  }

  const usb = usbOf(chosen);
  return {
    get readable() {
      return current.readable;
    },
    get writable() {
      return current.writable;
    },
    open,
    close: () => current.close(),
    setSignals: (signals) => current.setSignals(signals),
    getInfo: () => current.getInfo(),
  };
}

/** Asks the person which port it is. */
export async function choosePort(serial: Serial | undefined): Promise<Port> {
  if (serial === undefined)
    throw new FlashFailure(
      "port",
      "this browser has no Web Serial",
      "open the page in Chromium, Chrome or Edge, or use coseflow flash without --web",
    );
  try {
    const chosen = await serial.requestPort();
    return follow(chosen, serial, await serial.getPorts());
  } catch {
    throw new FlashFailure(
      "port",
      "no port was chosen",
      "try again and choose one; if none is shown, take a cable that has data lines, or see coseflow doctor",
    );
  }
}
