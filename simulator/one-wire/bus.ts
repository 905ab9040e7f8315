import type { Realm } from "../realm.ts";

/** A chip on a 1-Wire bus, slot by slot put together to bytes. */
export interface OneWireModel {
  /** The answer to a reset: true for a presence pulse. */
  reset(): boolean;
  write(byte: number, isPowered: boolean): void;
  /** 0xff: it leaves the line alone. */
  read(): number;
}

/** The buses of a board: the chips on each, by the name of its pin. */
export type OneWireBuses = ReadonlyMap<string, readonly OneWireModel[]>;

const skipRom = 0xcc;
const matchRom = 0x55;
const romDigits = 16;

/** `new OneWire(pin)`, without `search`. All chips share the line: it is low where one pulls. */
export function defineOneWire(realm: Realm, buses: OneWireBuses): void {
  const make = realm.door((pin: unknown) => {
    const chips = buses.get(String(pin)) ?? [];

    function write(byte: number, isPowered: boolean): void {
      for (const chip of chips) chip.write(byte & 255, isPowered);
    }
    function reset(): boolean {
      return chips.map((chip) => chip.reset()).some(Boolean);
    }
    function read(): number {
      return chips.reduce((line, chip) => line & chip.read(), 0xff);
    }

    return realm.object({
      reset,
      skip: () => write(skipRom, false),
      select(rom: unknown) {
        if (typeof rom !== "string" || rom.length !== romDigits)
          throw new Error(`Invalid OneWire device address ${JSON.stringify(rom)}`);
        reset();
        for (const byte of [matchRom, ...Buffer.from(rom, "hex")]) write(byte, false);
      },
      write(data: number | ArrayLike<number>, power?: boolean) {
        const bytes = typeof data === "number" ? [data] : Array.from(data);
        for (const [i, byte] of bytes.entries())
          write(byte, power === true && i === bytes.length - 1);
      },
      read: (count?: number) =>
        typeof count === "number" ? realm.bytes(Uint8Array.from({ length: count }, read)) : read(),
    });
  });
  realm.define("OneWire", make);
}
