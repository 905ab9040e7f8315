import type { JSONPath } from "jsonc-parser";
import { I2C_DRIVERS } from "./drivers.ts";
import type { Fault } from "./fault.ts";
import type { Source } from "./source.ts";

/** GPIOs that a program may use. The others are not there, or the flash needs them. */
const PINS: Record<string, (gpio: number) => boolean> = {
  "esp32-c3": (gpio) => gpio <= 11 || (gpio >= 18 && gpio <= 21),
  // Up to 37 the flash and its RAM: some modules use all of them.
  "esp32-s3": (gpio) => gpio <= 21 || (gpio >= 38 && gpio <= 48),
  linux: () => false,
};

/** Of all drivers in firmware/sensors/ that use the bus: the address where none is given. */
const I2C_ADDRESSES = new Map<string, number>(
  I2C_DRIVERS.map(({ properties }) => [
    properties.driver.const,
    (properties.address as { default?: number }).default ?? 0,
  ]),
);

/** Every place that names a pin, whatever else is wrong around it. */
function pinsOf(value: unknown, path: JSONPath = []): { pin: string; path: JSONPath }[] {
  if (typeof value === "string" && /^D\d+$/.test(value)) return [{ pin: value, path }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    pinsOf(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

function checkPins(source: Source, chip: unknown): Fault[] {
  const users = new Map<string, string>();
  const isThere = PINS[`${chip}`];
  return pinsOf(source.value).flatMap(({ pin, path }) => {
    const before = users.get(pin);
    users.set(pin, path.join("."));
    const got = pin;
    if (isThere !== undefined && !isThere(Number(pin.slice(1))))
      return [source.at(path, { expected: `a pin that ${chip} has free`, got })];
    if (before === undefined) return [];
    return [source.at(path, { expected: `a pin of its own (${before} has it)`, got })];
  });
}

function checkBus(source: Source, i2c: unknown, sensors: unknown[]): Fault[] {
  const taken = new Map<unknown, number>();
  return sensors.flatMap((sensor, index) => {
    const { driver, address } = (sensor ?? {}) as { driver?: string; address?: unknown };
    const usual = I2C_ADDRESSES.get(`${driver}`);
    if (usual === undefined) return [];
    const at: JSONPath = ["sensors", index];
    const used = address ?? usual;
    const other = taken.get(used);
    taken.set(used, index);
    return [
      ...(i2c === undefined
        ? [source.at([...at, "driver"], { expected: `"i2c" for ${driver}`, got: "none" })]
        : []),
      ...(other === undefined
        ? []
        : [
            source.at(address === undefined ? at : [...at, "address"], {
              expected: `an address of its own (sensors.${other} has it)`,
              got: typeof used === "number" ? `${used}` : "the same",
            }),
          ]),
    ];
  });
}

function checkNetwork(source: Source, chip: unknown, board: Record<string, unknown>): Fault[] {
  const network = chip === "linux" ? "host" : "wifi";
  const faults: Fault[] = [];
  if (PINS[`${chip}`] === undefined) return faults;
  if (board.network !== undefined && board.network !== network)
    faults.push(source.at(["network"], { expected: `${network} on ${chip}`, got: "another" }));
  const sensors = Array.isArray(board.sensors) ? board.sensors : [];
  sensors.forEach((sensor, index) => {
    if (chip !== "linux" && sensor?.driver === "host")
      faults.push(
        source.at(["sensors", index, "driver"], { expected: `a sensor of ${chip}`, got: "host" }),
      );
  });
  return faults;
}

/** What no property shows alone. `fileName` is the file's without its extension. */
export function checkTogether(source: Source, fileName: string): Fault[] {
  const { value } = source;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const board = value as Record<string, unknown>;
  const sensors = Array.isArray(board.sensors) ? board.sensors : [];
  const faults = [
    ...checkPins(source, board.chip),
    ...checkBus(source, board.i2c, sensors),
    ...checkNetwork(source, board.chip, board),
  ];
  if (typeof board.name === "string" && board.name !== fileName)
    faults.push(source.at(["name"], { expected: "the name of the file", got: "another" }));
  return faults;
}
