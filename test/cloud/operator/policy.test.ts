import { describe, expect, it } from "vitest";
import {
  DEFAULT_PRESET,
  formOf,
  type ProvisioningPolicy,
  presetPolicy,
  readPolicy,
} from "../../../cloud/operator/policy.ts";
import type { CoseflowError } from "../../../protocol/errors.ts";

const preset = (name: string) => presetPolicy(name) as ProvisioningPolicy;

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return (error as CoseflowError).code;
  }
  return undefined;
}

describe("a policy", () => {
  it("is sealed throughout where nothing else is said", () => {
    const sealed = { request: "sealed", update: "sealed", delete: "sealed" };
    expect(preset(DEFAULT_PRESET).forms).toEqual(sealed);
    expect(readPolicy("file", {}).forms).toEqual(sealed);
    expect(preset("standard").forms).toEqual({ ...sealed, request: "signed" });
    expect(readPolicy("file", "standard").forms).toEqual(preset("standard").forms);
    expect(readPolicy("file", { request: "plain" }).forms).toEqual({ ...sealed, request: "plain" });
    expect(presetPolicy("constructor")).toBeUndefined();
  });

  it.each([
    ["argument", "no-such-preset"],
    ["argument", null],
    ["argument", ["sealed"]],
    ["argument", { request: "open" }],
    ["argument", { requests: "sealed" }],
    ["profile", { update: "signed" }],
    ["profile", { delete: "plain" }],
  ])("is refused with %s: %j", (code, value) =>
    expect(codeOf(() => readPolicy("file", value))).toBe(code),
  );
});

describe("the form of an action", () => {
  it("is the policy's", () => {
    expect(formOf(preset("standard"), "request", false)).toBe("signed");
    expect(formOf(preset("standard"), "update", false)).toBe("sealed");
  });

  it("is plain only where policy and operator both say so", () => {
    const open = readPolicy("open.json", { request: "plain" });
    expect(formOf(open, "request", true)).toBe("plain");
    expect(() => formOf(open, "request", false)).toThrow(/--plain.*policy open.json/);
    expect(() => formOf(preset("standard"), "request", true)).toThrow(
      /policy standard says signed/,
    );
    expect(formOf(open, "delete", false)).toBe("sealed");
  });
});
