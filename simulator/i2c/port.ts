import { toByteString } from "../byte-string.ts";
import type { Realm } from "../realm.ts";
import type { I2cBus, I2cModel } from "./bus.ts";

interface Setup {
  sda?: unknown;
  scl?: unknown;
}

/** The 7-bit address, given plainly or as {address, stop}. */
function addressOf(value: unknown): number {
  const address =
    typeof value === "object" ? (value as { address?: unknown } | null)?.address : value;
  return Number(address) & 0x7f;
}

/** An I2C port of the ESP32: until it is set up on the wires of the bus it finds nobody. */
function createPort(realm: Realm, bus: I2cBus): object {
  let pins: { sda: string; scl: string } | undefined;

  function find(caller: string, address: unknown): I2cModel {
    if (pins === undefined) throw new Error(`${caller}:, Parameter error`);
    const isWired = pins.sda === bus.sda && pins.scl === bus.scl;
    const model = isWired ? bus.models.get(addressOf(address)) : undefined;
    return model ?? refuse(caller);
  }

  function refuse(caller: string): never {
    throw new Error(`${caller}: slave doesn't ACK the transfer`);
  }

  return realm.object({
    setup(options?: Setup) {
      pins = { sda: String(options?.sda), scl: String(options?.scl) };
    },
    writeTo(address: unknown, ...data: unknown[]) {
      const bytes = Buffer.from(toByteString(data), "latin1");
      if (bytes.length === 0) return;
      if (!find("jshI2CWrite", address).write(bytes)) refuse("jshI2CWrite");
    },
    readFrom(address: unknown, quantity: number) {
      if (!(quantity > 0)) return undefined;
      const bytes = find("jshI2CRead", address).read(quantity);
      return realm.bytes(bytes ?? refuse("jshI2CRead"));
    },
  });
}

/** `I2C1`, the C3's only port, and `new I2C()` for software ports; all see the same wires. */
export function defineI2c(realm: Realm, bus: I2cBus): void {
  realm.define("I2C1", createPort(realm, bus));
  const make = realm.door(() => createPort(realm, bus));
  realm.define("I2C", make);
}
