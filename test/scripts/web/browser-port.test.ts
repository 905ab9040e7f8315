import { describe, expect, it } from "vitest";
import type { Port } from "../../../scripts/flash/port.ts";
import { choosePort, type Serial } from "../../../scripts/web/browser-port.ts";

interface Plug extends Port {
  isOpen: boolean;
  isGone: boolean;
}

/** A port of a browser as far as it opens or does not. */
function plug(usbProductId = 1): Plug {
  return {
    isOpen: false,
    isGone: false,
    readable: null,
    writable: null,
    async open() {
      if (this.isGone) throw new Error("Failed to open serial port.");
      this.isOpen = true;
    },
    async close() {
      this.isOpen = false;
    },
    async setSignals() {},
    getInfo: () => ({ usbVendorId: 0x303a, usbProductId }),
  };
}

const RATE = { baudRate: 115_200 };

function serialOf(ports: Port[]): Serial {
  return { requestPort: async () => ports[0] as Port, getPorts: async () => [...ports] };
}

describe("a browser's port", () => {
  it("is followed to the object that a browser has for it when it is back", async () => {
    const [first, other, back] = [plug(), plug(2), plug()];
    const ports: Port[] = [first];
    const port = await choosePort(serialOf(ports));
    await port.open(RATE);
    await port.close();
    first.isGone = true;
    await expect(port.open(RATE)).rejects.toThrow(/does not open .*next: /);
    ports.push(other, back);
    await port.open(RATE);
    expect([other.isOpen, back.isOpen]).toEqual([false, true]);
  });

  it("is opened again where the object stays the same", async () => {
    const first = plug();
    const port = await choosePort(serialOf([first]));
    await port.open(RATE);
    await port.close();
    await port.open(RATE);
    expect(first.isOpen).toBe(true);
  });

  it("is never a twin that was there before, nor another where it never opened", async () => {
    const [first, twin, late] = [plug(), plug(), plug()];
    const ports: Port[] = [first, twin];
    const port = await choosePort(serialOf(ports));
    first.isGone = true;
    ports.push(late);
    await expect(port.open(RATE)).rejects.toThrow("another program has it");
    first.isGone = false;
    ports.pop();
    await port.open(RATE);
    first.isGone = true;
    await expect(port.open(RATE)).rejects.toThrow("another program has it");
    expect([twin.isOpen, late.isOpen]).toEqual([false, false]);
  });

  it("is missed with a cause: no Web Serial, or none chosen", async () => {
    await expect(choosePort(undefined)).rejects.toThrow(/no Web Serial; next: open the page in/);
    const refused: Serial = {
      requestPort: () => Promise.reject(new Error("No port selected by the user.")),
      getPorts: async () => [],
    };
    await expect(choosePort(refused)).rejects.toThrow(/no port was chosen; next: try again/);
  });
});
