import type { Realm } from "./realm.ts";

/** The highest pin number of the ESP32 family (S3). */
const lastPin = 48;

function createPin(realm: Realm, name: string): object {
  let level = false;
  let mode = "input";
  const drive = (value: unknown) => {
    level = Boolean(value);
  };
  return realm.object({
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
}

/** `D0` to `D48`, and `new Pin("D4")`: levels that can be written and read; nothing is wired to them. */
export function definePins(realm: Realm): void {
  const pins = new Map<string, object>();
  for (let number = 0; number <= lastPin; number++) {
    const pin = createPin(realm, `D${number}`);
    pins.set(`D${number}`, pin).set(String(number), pin);
    realm.define(`D${number}`, pin);
  }
  realm.define(
    "Pin",
    realm.door((name: unknown) => pins.get(String(name))),
  );
}
