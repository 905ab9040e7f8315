import type { JSONPath } from "jsonc-parser";
import { driverOf } from "./drivers.ts";
import type { Fault } from "./fault.ts";
import type { Source } from "./source.ts";

interface ChipPins {
  /** GPIOs that a program may use. The others are not there, or the flash needs them. */
  isFree: (gpio: number) => boolean;
  /** Those that Espruino's build for the chip can read a voltage at. */
  isAnalogue: (gpio: number) => boolean;
}

export const CHIPS = new Map<unknown, ChipPins>([
  [
    "esp32-c3",
    {
      isFree: (gpio) => gpio <= 11 || (gpio >= 18 && gpio <= 21),
      isAnalogue: (gpio) => gpio <= 4,
    },
  ],
  [
    "esp32-s3",
    {
      // Up to 37 the flash and its RAM: some modules use all of them.
      isFree: (gpio) => gpio <= 21 || (gpio >= 38 && gpio <= 48),
      // The chip has a converter, but its pin table in Espruino names none.
      isAnalogue: () => false,
    },
  ],
  ["linux", { isFree: () => false, isAnalogue: () => false }],
]);

interface Use {
  pin: string;
  path: JSONPath;
  /** Of a chip on a 1-Wire bus: several share the pin, where each has a code. */
  rom?: unknown;
  isAnalogue: boolean;
}

/** Every place that names a pin, whatever else is wrong around it. */
function usesOf(value: unknown, path: JSONPath = [], rom?: unknown, isAnalogue = false): Use[] {
  if (typeof value === "string" && /^D\d+$/.test(value))
    return [{ pin: value, path, rom, isAnalogue }];
  if (typeof value !== "object" || value === null) return [];
  const driver = driverOf(value)?.name;
  const code = driver === "ds18b20" ? (value as { rom?: unknown }).rom : undefined;
  return Object.entries(value).flatMap(([name, inner]) =>
    usesOf(
      inner,
      [...path, Array.isArray(value) ? Number(name) : name],
      code,
      driver === "analogue",
    ),
  );
}

function isShared(use: Use, others: Use[]): boolean {
  return (
    use.rom !== undefined &&
    others.every(({ rom }) => rom !== undefined) &&
    others.every(({ rom }) => rom !== use.rom)
  );
}

/** Pins that the chip has not, or that two things want. */
export function checkPins(source: Source, chip: unknown): Fault[] {
  const users = new Map<string, Use[]>();
  const pins = CHIPS.get(chip);
  return usesOf(source.value).flatMap((use) => {
    const { pin, path } = use;
    const before = users.get(pin) ?? [];
    users.set(pin, [...before, use]);
    const gpio = Number(pin.slice(1));
    const refuse = (expected: string) => [source.at(path, { expected, got: pin })];
    if (pins !== undefined && !pins.isFree(gpio)) return refuse(`a pin that ${chip} has free`);
    if (pins !== undefined && use.isAnalogue && !pins.isAnalogue(gpio))
      return refuse(
        chip === "esp32-c3"
          ? "a pin with a converter: D0 to D4"
          : `no analogue sensor: Espruino on ${chip} reads no voltages`,
      );
    const [first] = before;
    if (first === undefined || isShared(use, before)) return [];
    return refuse(`a pin of its own (${first.path.join(".")} has it)`);
  });
}
