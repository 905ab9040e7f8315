import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { JSONPath } from "jsonc-parser";
import type { TSchema } from "typebox";
import { I2C_DRIVERS, OTHER_DRIVERS } from "./drivers.ts";
import { type Fault, nearestName, quote } from "./fault.ts";
import { BOARD } from "./schema.ts";
import { isSecretName } from "./secrets.ts";
import type { Source } from "./source.ts";

const TYPES: Record<string, string> = {
  object: "an object",
  array: "a list",
  string: "text",
  integer: "a whole number",
  boolean: "true or false",
};

/** Why the board that people will try first is none. */
const UNSUPPORTED =
  "esp32-c3, esp32-s3 or linux: the classic ESP32 is not supported, its Espruino on IDF 4 runs out of memory";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function expectation({ keyword, params, parentSchema }: ErrorObject): string {
  const schema = parentSchema as Record<string, unknown>;
  switch (keyword) {
    case "type":
      return TYPES[params.type as string] ?? `${params.type}`;
    case "enum":
      return `one of ${(params.allowedValues as unknown[]).join(", ")}`;
    case "minimum":
    case "maximum":
      return `a number from ${schema.minimum} to ${schema.maximum}`;
    case "maxItems":
      return `at most ${params.limit}`;
    default:
      return `${schema.description}`.replace(/\.$/, "");
  }
}

/** An ajv error in our words; nothing for a secret, which has a fault of its own. */
function toFault(source: Source, path: JSONPath, error: ErrorObject): Fault | undefined {
  const { keyword, params, parentSchema, data } = error;
  const known = Object.keys((parentSchema as TSchema & { properties?: object })?.properties ?? {});
  if (keyword === "required")
    return source.at(path, { expected: `"${params.missingProperty}"`, got: "none" });
  if (keyword === "additionalProperties") {
    const name = `${params.additionalProperty}`;
    if (isSecretName(name)) return undefined;
    const nearest = nearestName(name, known);
    const what = { expected: `one of ${known.join(", ")}`, got: quote(name) };
    return source.at(path, nearest === undefined ? what : { ...what, nearest }, name);
  }
  if (path[0] === "chip" && typeof data === "string" && /^esp32(?!-?[a-z]\d)/i.test(data))
    return source.at(path, { expected: UNSUPPORTED, got: quote(data) });
  const what = { expected: expectation(error), got: quote(data) };
  const values = keyword === "enum" ? (params.allowedValues as unknown[]).map(String) : [];
  const nearest = typeof data === "string" ? nearestName(data, values) : undefined;
  return source.at(path, nearest === undefined ? what : { ...what, nearest });
}

/** The path that ajv gives, with the places in lists as numbers. */
function pathOf(instancePath: string): JSONPath {
  return instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Judges the shape of a board file: each sensor by its own driver, so that faults are not those of all drivers. */
export function createShapeCheck(): (source: Source) => Fault[] {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false });
  const sensors = {
    ...BOARD.properties.sensors,
    items: { type: "object", description: "A sensor" },
  };
  const board = ajv.compile({ ...BOARD, properties: { ...BOARD.properties, sensors } });
  const drivers = new Map<string, ValidateFunction>(
    [...I2C_DRIVERS, ...OTHER_DRIVERS].map((driver) => [
      driver.properties.driver.const,
      ajv.compile(driver),
    ]),
  );

  return function checkShape(source) {
    const faultsOf = (check: ValidateFunction, value: unknown, at: JSONPath) =>
      check(value)
        ? []
        : (check.errors ?? []).flatMap(
            (error) => toFault(source, [...at, ...pathOf(error.instancePath)], error) ?? [],
          );
    const checkSensor = (sensor: unknown, index: number): Fault[] => {
      if (!isObject(sensor)) return [];
      const at: JSONPath = ["sensors", index];
      const check = drivers.get(`${sensor.driver}`);
      if (check !== undefined) return faultsOf(check, sensor, at);
      const names = [...drivers.keys()];
      const nearest = nearestName(`${sensor.driver}`, names);
      const what = {
        expected: `a driver: one of ${names.join(", ")}`,
        got: sensor.driver === undefined ? "none" : quote(sensor.driver),
      };
      return [source.at([...at, "driver"], nearest === undefined ? what : { ...what, nearest })];
    };
    const { value } = source;
    const list = isObject(value) && Array.isArray(value.sensors) ? value.sensors : [];
    return [...faultsOf(board, value, []), ...list.flatMap(checkSensor)];
  };
}
