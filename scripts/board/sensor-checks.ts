import type { JSONPath } from "jsonc-parser";
import { driverOf } from "./drivers.ts";
import { type Fault, quote } from "./fault.ts";
import type { Source } from "./source.ts";

/** Between two samples of a mean, as in firmware/sensors/refine.ts. */
const SAMPLE_GAP_MS = 7;

/** Of a DS18B20; what does not look like it has a fault of its own. */
const ROM = /^28[0-9a-f]{14}$/;

type Refuse = (place: JSONPath, expected: string, got: string) => void;

/** CRC-8 of a 1-Wire code: over all eight bytes it is 0. */
function fitsCrc(rom: string): boolean {
  let crc = 0;
  for (const byte of Buffer.from(rom, "hex")) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
  }
  return crc === 0;
}

/** What the values of a sensor are called: see `refine` in firmware/sensors/refine.ts. */
export function valueNames(sensor: unknown): string[] {
  const quantities = driverOf(sensor)?.quantities ?? [];
  const { name } = sensor as { name?: unknown };
  if (name === undefined) return [...quantities];
  // A wrong name has a fault of its own.
  if (typeof name !== "string") return [];
  return quantities.length === 1 ? [name] : quantities.map((quantity) => `${name}-${quantity}`);
}

function checkNames(sensors: unknown[], refuse: Refuse): void {
  const owners = new Map<string, number>();
  sensors.forEach((sensor, index) => {
    const twice = valueNames(sensor).find((name) => owners.has(name));
    for (const name of valueNames(sensor)) if (!owners.has(name)) owners.set(name, index);
    if (twice === undefined) return;
    const { name } = sensor as { name?: unknown };
    const owner = owners.get(twice);
    refuse(
      name === undefined ? [index] : [index, "name"],
      `a "name" of its own (sensors.${owner} has "${twice}")`,
      name === undefined ? "none" : quote(name),
    );
  });
}

function checkTimes(sensor: Record<string, unknown>, index: number, refuse: Refuse): void {
  const { average, periodSeconds, deadband, heartbeatSeconds } = sensor;
  const sampleMs = driverOf(sensor)?.sampleMs ?? 0;
  if (typeof average === "number" && typeof periodSeconds === "number") {
    const most = Math.floor((periodSeconds * 1000) / (sampleMs + SAMPLE_GAP_MS));
    if (average > most)
      refuse([index, "average"], `at most ${most} samples in the period`, `${average}`);
  }
  if (heartbeatSeconds !== undefined && deadband === undefined)
    refuse([index, "heartbeatSeconds"], `"deadband" beside it`, "none");
}

function checkRanges({ range }: Record<string, unknown>, index: number, refuse: Refuse): void {
  if (typeof range !== "object" || range === null) return;
  for (const [quantity, bounds] of Object.entries(range)) {
    const { min, max } = (bounds ?? {}) as { min?: unknown; max?: unknown };
    if (typeof min === "number" && typeof max === "number" && min > max)
      refuse([index, "range", quantity, "min"], `at most the "max" of ${max}`, `${min}`);
  }
}

const isNumber = (value: unknown): value is number => typeof value === "number";

function checkAlarms({ alarm }: Record<string, unknown>, index: number, refuse: Refuse): void {
  if (typeof alarm !== "object" || alarm === null) return;
  for (const [quantity, limits] of Object.entries(alarm)) {
    if (typeof limits !== "object" || limits === null) continue;
    const { above, below, hysteresis } = limits as Record<string, unknown>;
    const place = [index, "alarm", quantity];
    if (above === undefined && below === undefined)
      refuse(place, `"above", "below" or both`, "neither");
    if (!isNumber(above) || !isNumber(below)) continue;
    if (below >= above)
      refuse([...place, "below"], `less than the "above" of ${above}`, `${below}`);
    else if (isNumber(hysteresis) && hysteresis >= above - below)
      refuse(
        [...place, "hysteresis"],
        `less than the ${above - below} between "below" and "above"`,
        `${hysteresis}`,
      );
  }
}

/** What belongs together in the entries of `sensors`, and between them. */
export function checkSensors(source: Source, sensors: unknown[]): Fault[] {
  const faults: Fault[] = [];
  const refuse: Refuse = (place, expected, got) =>
    faults.push(source.at(["sensors", ...place], { expected, got }));
  sensors.forEach((sensor, index) => {
    const driver = driverOf(sensor);
    if (driver === undefined) return;
    const entry = sensor as Record<string, unknown>;
    const { rom } = entry;
    if (driver.name === "ds18b20" && typeof rom === "string" && ROM.test(rom) && !fitsCrc(rom))
      refuse([index, "rom"], "digits that fit their check sum", "others");
    checkTimes(entry, index, refuse);
    checkRanges(entry, index, refuse);
    checkAlarms(entry, index, refuse);
  });
  checkNames(
    sensors.map((sensor) => sensor ?? {}),
    refuse,
  );
  return faults;
}
