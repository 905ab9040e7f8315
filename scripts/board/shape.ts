import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { JSONPath } from "jsonc-parser";
import type { TSchema } from "typebox";
import { DRIVERS, driverOf } from "./drivers.ts";
import { type Fault, nearestName, quote } from "./fault.ts";
import { BOARD, PROVISIONING } from "./schema.ts";
import { isSecretName } from "./secrets.ts";
import type { Source } from "./source.ts";

const TYPES: Record<string, string> = {
  object: "an object",
  array: "a list",
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
};

/** Why the board that people will try first is none. */
const UNSUPPORTED =
  "esp32-c3, esp32-s3 or linux: the classic ESP32 is not supported, its Espruino on IDF 4 runs out of memory";

export const isObject = (value: unknown): value is Record<string, unknown> =>
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
    case "minProperties":
      return `one of ${Object.keys(schema.properties as object).join(", ")}`;
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

/** A driver that there is not, or none. */
function unknownDriver(source: Source, sensor: Record<string, unknown>, at: JSONPath): Fault {
  const names = DRIVERS.map(({ name }) => name);
  const { driver } = sensor;
  const nearest = typeof driver === "string" ? nearestName(driver, names) : undefined;
  const what = {
    expected: `a driver: one of ${names.join(", ")}`,
    got: driver === undefined ? "none" : quote(driver),
  };
  return source.at([...at, "driver"], nearest === undefined ? what : { ...what, nearest });
}

/**
 * Judges the shape of a board file: what has alternatives by the one that is meant, each sensor
 * by its own driver, so that faults are not those of all.
 */
export function createShapeCheck(): (source: Source) => Fault[] {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false });
  const { sensors } = BOARD.properties;
  const board = ajv.compile({
    ...BOARD,
    properties: {
      ...BOARD.properties,
      sensors: { ...sensors, items: { type: "object", description: "A sensor" } },
      provisioning: {},
    },
  });
  const preset = ajv.compile(PROVISIONING.preset);
  const policy = ajv.compile(PROVISIONING.policy);
  const drivers = new Map<string, ValidateFunction>(
    DRIVERS.map(({ name, schema }) => [name, ajv.compile(schema)]),
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
      const check = drivers.get(`${driverOf(sensor)?.name}`);
      return check === undefined
        ? [unknownDriver(source, sensor, at)]
        : faultsOf(check, sensor, at);
    };
    const { value } = source;
    const faults = faultsOf(board, value, []);
    if (!isObject(value)) return faults;
    const { provisioning } = value;
    const at: JSONPath = ["provisioning"];
    if (isObject(provisioning)) faults.push(...faultsOf(policy, provisioning, at));
    else if (provisioning !== undefined)
      for (const fault of faultsOf(preset, provisioning, at))
        faults.push({ ...fault, expected: `${fault.expected}, or an object` });
    const list = Array.isArray(value.sensors) ? value.sensors : [];
    return [...faults, ...list.flatMap(checkSensor)];
  };
}
