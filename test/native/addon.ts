import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { CoseflowError } from "../../protocol/errors.ts";

export type Module = DeviceCrypto & { close(): void };

export const addonPath = fileURLToPath(
  new URL("../../build/native/devcrypto.node", import.meta.url),
);

/** `describe` for tests of the addon itself; skipped, and saying why, where it is not built. */
export function describeAddon(name: string, body: () => void): void {
  if (existsSync(addonPath)) describe(name, body);
  else describe.skip(`${name} (skipped: run make -C native first)`, body);
}

export function openAddon(directory: string): Module {
  return createRequire(import.meta.url)(addonPath).open(directory);
}

/** A directory that does not exist yet, in one that `remove` takes away again. */
export function makeStorePath(): { path: string; remove(): void } {
  const parent = mkdtempSync(join(tmpdir(), "coseflow-native-"));
  return {
    path: join(parent, "store"),
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}

/** The code and the kind of what `action` throws; undefined when it returns. */
export function thrownBy(action: () => unknown): { code: string; isType: boolean } | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return { code: (error as CoseflowError).code, isType: error instanceof TypeError };
  }
}
