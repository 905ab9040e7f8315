import { FlashFailure } from "./failure.ts";

/**
 * Settings as they are written, once they hold what a device cannot start without: that is
 * asked for here, not by the device after the flashing. `name` is what a person knows them by.
 */
export function encodeSettings(
  name: string,
  settings: Record<string, unknown>,
  needsWifi: boolean,
): Uint8Array {
  const isList = (key: string) => {
    const value = settings[key];
    return Array.isArray(value) && value.length > 0;
  };
  const missing = [
    ...(isList("brokers") ? [] : ["brokers"]),
    ...(needsWifi && !isList("wifi") ? ["wifi"] : []),
  ];
  if (missing.length > 0)
    throw new FlashFailure(
      "files",
      `${name} has no ${missing.join(" and no ")}`,
      "add it: README, On Espruino",
    );
  return new TextEncoder().encode(JSON.stringify(settings));
}
