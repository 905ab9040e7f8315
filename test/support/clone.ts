/** A folder as a clone that has been built, in which nothing of a test touches this one. */
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { temporaryDirectory } from "./built.ts";
import { findMosquitto } from "./mosquitto.ts";

const root = resolve(import.meta.dirname, "..", "..");
/** What a command reads of it. */
const COPIED = [
  "package.json",
  "size.json",
  "boards",
  "scripts",
  "dist",
  "build/native",
  "build/firmware",
];

export interface Clone {
  cwd: string;
  /** The compiled command line of it. */
  program: string;
  /** With a home of its own, and mosquitto in its path. */
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

export async function makeClone(name: string): Promise<Clone> {
  const [cwd, remove] = await temporaryDirectory(name);
  for (const path of COPIED.filter((one) => existsSync(join(root, one))))
    cpSync(join(root, path), join(cwd, path), { recursive: true, preserveTimestamps: true });
  const program = join(cwd, "dist", "scripts", "coseflow.js");
  const packages = join(cwd, "node_modules");
  const bin = join(packages, ".bin");
  mkdirSync(bin, { recursive: true });
  for (const entry of readdirSync(join(root, "node_modules")))
    if (!entry.startsWith("."))
      symlinkSync(join(root, "node_modules", entry), join(packages, entry));
  const script = `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`;
  writeFileSync(join(bin, "coseflow"), script, { mode: 0o755 });
  const PATH = [process.env.PATH, dirname(findMosquitto())].join(":");
  // npx links a project that has a program of its own into npm's cache.
  const own = { PATH, HOME: cwd, npm_config_cache: join(cwd, ".npm") };
  return { cwd, program, env: { ...process.env, ...own }, remove };
}
