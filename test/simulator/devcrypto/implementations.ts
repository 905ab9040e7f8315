import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe } from "vitest";
import { type Devcrypto, loadDevcrypto } from "../../../simulator/devcrypto/load.ts";
import { type OpenDeviceCrypto, openStandIn } from "../../../simulator/devcrypto/stand-in.ts";

export type Open = Devcrypto["open"];

/** The C module, where it is built. */
export const native = loadDevcrypto();

/** The same suite over the stand-in and over the C module, which is skipped where it is not built. */
export function describeBoth(title: string, suite: (open: Open) => void): void {
  describe(`${title}: stand-in`, () => suite(openStandIn));
  const name = native.kind === "native" ? "C module" : `C module (skipped: ${native.reason})`;
  describe.skipIf(native.kind !== "native")(`${title}: ${name}`, () => suite(native.open));
}

/** Directories of mode 700 for the tests of one describe; all are removed after it. */
export function useDirectories(): () => string {
  const directories: string[] = [];
  afterAll(() => {
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  return () => {
    const directory = mkdtempSync(join(tmpdir(), "coseflow-devcrypto-"));
    directories.push(directory);
    return directory;
  };
}

/** Opens modules that are closed after each test. */
export function useModules(open: Open): (directory: string) => OpenDeviceCrypto {
  const modules: OpenDeviceCrypto[] = [];
  afterEach(() => {
    for (const module of modules.splice(0)) module.close();
  });
  return (directory) => {
    const module = open(directory);
    modules.push(module);
    return module;
  };
}
