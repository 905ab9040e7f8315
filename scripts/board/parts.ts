/** Pieces that several parts of the schema are made of. */
import { type TProperties, type TSchemaOptions, Type } from "typebox";

/** An object that has these properties and no others: a misspelt one is an error. */
export function closed<T extends TProperties>(properties: T, options: TSchemaOptions) {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

export const PIN = Type.String({
  pattern: "^D(0|[1-9][0-9]?)$",
  title: "Pin",
  description: "The pin as Espruino names it: D and the number of the GPIO, so D9 is GPIO9.",
  examples: ["D9"],
});
