import type { Realm } from "./realm.ts";

/** The highest pin number of the ESP32 family (S3). */
const lastPin = 48;

/** `D0` to `D48`: levels that can be written and read back; nothing is wired to them. */
export function definePins(realm: Realm): void {
  for (let number = 0; number <= lastPin; number++) {
    const name = `D${number}`;
    let level = false;
    let mode = "input";
    const drive = (value: unknown) => {
      level = Boolean(value);
    };
    const pin = realm.object({
      toString: () => name,
      read: () => level,
      set: () => drive(true),
      reset: () => drive(false),
      write: drive,
      getMode: () => mode,
      mode(value: unknown) {
        mode = String(value);
      },
    });
    realm.define(name, pin);
  }
}
