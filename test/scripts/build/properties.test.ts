import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { INTERNAL_PATTERN, INTERNAL_PROPERTIES } from "../../../scripts/build/properties.mjs";

const root = join(import.meta.dirname, "..", "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Every word that a declaration uses as a property, function or method name. */
function declaredNames(text: string): string[] {
  return [...text.matchAll(/^ {2,}(\w+)\??[:(]/gm)].map(([, name]) => name as string);
}

describe("properties that the bundle renames", () => {
  it.each([
    ["Espruino", "firmware/espruino/globals.d.ts"],
    ["Espruino's Wi-Fi", "firmware/espruino/wifi-module.ts"],
    ["the C module", "protocol/cose/crypto.ts"],
    ["board files and settings", "firmware/config.ts"],
    ["settings of Wi-Fi", "firmware/network-settings.ts"],
    ["settings of brokers", "firmware/mqtt/broker.ts"],
  ])("are none that %s knows by name", (_owner, path) => {
    const outside = declaredNames(read(path));
    expect(outside.length).toBeGreaterThanOrEqual(3);
    expect(outside.filter((name) => INTERNAL_PATTERN.test(name))).toEqual([]);
  });

  it("are none of a socket, an I2C bus or an Error", () => {
    const known = ["write", "end", "on", "connect", "host", "port", "tls", "writeTo", "readFrom"];
    for (const name of [...known, "message", "code", "stack", "length"])
      expect(INTERNAL_PATTERN.test(name), name).toBe(false);
  });

  it("are sorted, each once, and all in use", () => {
    expect(INTERNAL_PROPERTIES).toEqual([...new Set(INTERNAL_PROPERTIES)].sort());
    const sources = ["firmware", "protocol"].map((folder) => readAll(join(root, "dist", folder)));
    for (const name of INTERNAL_PROPERTIES)
      expect(sources.join()).toMatch(new RegExp(`\\b${name}\\b`));
  });
});

function readAll(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".js"))
    .map((path) => readFileSync(join(folder, path), "utf8"))
    .join("\n");
}
