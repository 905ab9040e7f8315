/** The sensors of an update, from options such as --period 0=30. */
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { MAX_PERIOD, MAX_SENSORS, type SensorUpdate } from "../../protocol/update-parameters.ts";
import { readText } from "../board/read-file.ts";

/** A sensor, by its place in the board file or its driver's name, and what it is to have. */
export interface SensorOption {
  sensor: string;
  value: string;
}

/** "SENSOR=VALUE", for an option that may be given several times. */
export function parseSensorOption(text: string, before: SensorOption[] = []): SensorOption[] {
  const [, sensor, value] = /^([a-z0-9-]+)=([a-z0-9]+)$/.exec(text) ?? [];
  if (sensor === undefined || value === undefined)
    throw new InvalidArgumentError("expected SENSOR=VALUE, such as 0=30.");
  return [...before, { sensor, value }];
}

export interface SensorOptions {
  period?: SensorOption[] | undefined;
  qos?: SensorOption[] | undefined;
  drop?: SensorOption[] | undefined;
}

type Known = Omit<SensorUpdate, "sensor"> & { driver: string };

/** The sensors of a board file, with what it says of each. */
function readBoard(path: string): Known[] {
  const { sensors } = JSON.parse(readText(path)) as {
    sensors?: { driver: string; periodSeconds: number; qos: 0 | 1; drop?: SensorUpdate["drop"] }[];
  };
  if (!Array.isArray(sensors)) throw new Error(`${path}, expected a board file, got no sensors`);
  return sensors.map(({ driver, periodSeconds, qos, drop = "oldest" }) => ({
    ...{ driver, periodSeconds, qos, drop },
  }));
}

function placeOf(sensor: string, board: Known[] | undefined): number {
  if (/^\d+$/.test(sensor)) {
    const last = (board?.length ?? MAX_SENSORS) - 1;
    if (Number(sensor) <= last) return Number(sensor);
    throw new InvalidArgumentError(`sensor, expected a place from 0 to ${last}, got ${sensor}`);
  }
  const places = (board ?? []).flatMap(({ driver }, place) => (driver === sensor ? [place] : []));
  const [only] = places;
  if (only !== undefined && places.length === 1) return only;
  throw new InvalidArgumentError(
    board === undefined
      ? `sensor ${sensor}, expected --board with the board file that names it, or its place there`
      : `sensor ${sensor}, expected one of it on the board, got ${places.length}: give its place`,
  );
}

const CHECKS = {
  period: (value: string) => {
    const seconds = Number(value);
    if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_PERIOD))
      throw new InvalidArgumentError(`--period, expected 1 to ${MAX_PERIOD} seconds, got ${value}`);
    return { periodSeconds: seconds };
  },
  qos: (value: string) => {
    if (value !== "0" && value !== "1")
      throw new InvalidArgumentError(`--qos, expected 0 or 1, got ${value}`);
    return { qos: Number(value) as 0 | 1 };
  },
  drop: (value: string) => {
    if (value !== "oldest" && value !== "newest")
      throw new InvalidArgumentError(`--drop, expected oldest or newest, got ${value}`);
    return { drop: value as SensorUpdate["drop"] };
  },
};

/**
 * A message says everything of each sensor that it names. What no option says is the board
 * file's; without one there is nothing to take it from.
 */
export function sensorUpdates(
  options: SensorOptions,
  boardFile: string | undefined,
): SensorUpdate[] | undefined {
  const board = boardFile === undefined ? undefined : readBoard(boardFile);
  const changes = new Map<number, Partial<SensorUpdate>>();
  for (const name of ["period", "qos", "drop"] as const)
    for (const { sensor, value } of options[name] ?? []) {
      const place = placeOf(sensor, board);
      changes.set(place, { ...changes.get(place), ...CHECKS[name](value) });
    }
  if (changes.size === 0) return undefined;
  return [...changes].map(([sensor, change]) => {
    const { periodSeconds, qos, drop } = { ...board?.[sensor], ...change };
    if (periodSeconds === undefined || qos === undefined || drop === undefined)
      throw new InvalidArgumentError(
        `sensor ${sensor}, expected --period, --qos and --drop of it, or --board with its board file`,
      );
    return { sensor, periodSeconds, qos, drop };
  });
}
