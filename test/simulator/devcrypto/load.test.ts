import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadDevcrypto } from "../../../simulator/devcrypto/load.ts";
import { native, useDirectories } from "./implementations.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

describe("loadDevcrypto", () => {
  const directory = useDirectories();

  it("stands in and says why where the addon is not built", () => {
    const path = join(directory(), "devcrypto.node");
    const devcrypto = loadDevcrypto(path);
    expect(devcrypto.kind).toBe("stand-in");
    expect(devcrypto.reason).toContain(path);
    const crypto = devcrypto.open(directory());
    expect(crypto.exportPublicKey(crypto.openDeviceKey())).toHaveLength(65);
    crypto.close();
  });

  it("stands in and says why, in one line, where the addon does not load", () => {
    const path = join(directory(), "devcrypto.node");
    writeFileSync(path, "no shared object");
    const devcrypto = loadDevcrypto(path);
    expect(devcrypto.kind).toBe("stand-in");
    expect(devcrypto.reason).toContain(path);
    expect(devcrypto.reason).not.toContain("\n");
  });

  it("stands in where the module is another one", () => {
    const path = join(directory(), "devcrypto.json");
    writeFileSync(path, "{}");
    expect(loadDevcrypto(path).kind).toBe("stand-in");
  });

  it("finds the addon of the repository from source", () => {
    const isBuilt = existsSync(join(root, "build/native/devcrypto.node"));
    expect(native.kind).toBe(isBuilt ? "native" : "stand-in");
  });

  const compiled = join(root, "dist/simulator/devcrypto/load.js");
  it.skipIf(!existsSync(compiled))(
    "finds the same from dist/, in another working directory",
    () => {
      const script = `import { loadDevcrypto } from ${JSON.stringify(compiled)};
      console.log(loadDevcrypto().kind);`;
      const args = ["--input-type=module", "--eval", script];
      const kind = execFileSync(process.execPath, args, { cwd: directory(), encoding: "utf8" });
      expect(kind.trim()).toBe(native.kind);
    },
  );
});
