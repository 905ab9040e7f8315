import type { JSONPath } from "jsonc-parser";
import type { Fault } from "./fault.ts";
import type { Source } from "./source.ts";

/** Names that only the settings of one device have: the board file is public. */
const NAMES =
  /pass(?:word|wd|phrase)?$|^pwd$|psk|ssid|^wifi$|secret|token|claim|credential|user(?:name)?$|^brokers?$|key$|^keys$/i;

/** PEM, a URL with a password, a key in hexadecimal or base64. */
const LOOKS = [
  /-----BEGIN /,
  /\/\/[^\s/]*@/,
  /^[0-9a-f]{32,}$/i,
  /^(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9+/_-]{24,}={0,2}$/,
];

const PLACE = "what is secret or of one device in its secrets file";

/** Whether a name may hold only what does not belong into a board file. */
export function isSecretName(name: string): boolean {
  return NAMES.test(name);
}

/** What must not be in a public file, by its name or by its look. Never quoted. */
export function findSecrets(source: Source): Fault[] {
  const walk = (value: unknown, path: JSONPath): Fault[] => {
    if (typeof value === "string")
      return LOOKS.some((look) => look.test(value))
        ? [source.at(path, { expected: PLACE, got: "what looks like one" })]
        : [];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) => {
      if (Array.isArray(value)) return walk(inner, [...path, Number(name)]);
      if (isSecretName(name))
        return [source.at(path, { expected: PLACE, got: "it in the board file" }, name)];
      return walk(inner, [...path, name]);
    });
  };
  return walk(source.value, []);
}
