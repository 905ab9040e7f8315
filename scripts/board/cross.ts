import type { JSONPath } from "jsonc-parser";
import { DRIVERS, driverOf } from "./drivers.ts";
import type { Fault } from "./fault.ts";
import { checkMemory, type EstimateMemory } from "./memory.ts";
import { CHIPS, checkPins } from "./pins.ts";
import { checkSensors } from "./sensor-checks.ts";
import { isObject } from "./shape.ts";
import type { Source } from "./source.ts";

/** Of the drivers whose sensors are on the I2C bus: the address where none is given. */
const I2C_ADDRESSES = new Map<string, number>(
  DRIVERS.flatMap(({ name, schema }) =>
    "address" in schema.properties
      ? [[name, (schema.properties.address as { default?: number }).default ?? 0]]
      : [],
  ),
);

function checkBus(source: Source, i2c: unknown, sensors: unknown[]): Fault[] {
  const taken = new Map<unknown, number>();
  return sensors.flatMap((sensor, index) => {
    const driver = `${driverOf(sensor)?.name}`;
    const usual = I2C_ADDRESSES.get(driver);
    if (usual === undefined) return [];
    const { address } = sensor as { address?: unknown };
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
  if (!CHIPS.has(chip)) return [];
  const network = chip === "linux" ? "host" : "wifi";
  if (board.network === undefined || board.network === network) return [];
  return [source.at(["network"], { expected: `${network} on ${chip}`, got: "another" })];
}

/** The computer's own numbers are to be had on the computer only. */
function checkHost(source: Source, chip: unknown, sensors: unknown[]): Fault[] {
  if (!CHIPS.has(chip) || chip === "linux") return [];
  return sensors.flatMap((sensor, index) =>
    driverOf(sensor)?.name === "host"
      ? [
          source.at(["sensors", index, "driver"], {
            expected: `a sensor of ${chip}`,
            got: "host",
          }),
        ]
      : [],
  );
}

/** What no receipt has listed when a board falls asleep is kept in flash or lost. */
function checkSleep(source: Source, { sleep, queue }: Record<string, unknown>): Fault[] {
  const flash = isObject(queue) ? queue.flash : 0;
  if (sleep === undefined || (typeof flash === "number" && flash > 0)) return [];
  return [source.at(["sleep"], { expected: "queue.flash beside it", got: "none" })];
}

/** What no property shows alone. `fileName` is the file's without its extension. */
export function checkTogether(source: Source, fileName: string, estimate: EstimateMemory): Fault[] {
  const { value: board } = source;
  if (!isObject(board)) return [];
  const sensors = Array.isArray(board.sensors) ? board.sensors : [];
  const faults = [
    ...checkPins(source, board.chip),
    ...checkBus(source, board.i2c, sensors),
    ...checkNetwork(source, board.chip, board),
    ...checkHost(source, board.chip, sensors),
    ...checkSleep(source, board),
    ...checkSensors(source, sensors),
    ...checkMemory(source, board, estimate),
  ];
  if (typeof board.name === "string" && board.name !== fileName)
    faults.push(source.at(["name"], { expected: "the name of the file", got: "another" }));
  return faults;
}
