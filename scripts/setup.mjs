import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { listBoards } from "./build/boards.mjs";

/**
 * Makes a fresh Debian or Ubuntu machine ready to run (or, with --test, to test) the
 * project: looks for what is needed, installs what is missing where it may, and builds.
 * Quick and silent when all is there. Speaks on stderr only: stdout is the program's.
 */
const root = resolve(import.meta.dirname, "..");
const OLDEST_NODE = [20, 11];
const bin = (name) => join(root, "node_modules", ".bin", name);
const say = (line) => process.stderr.write(`${line}\n`);

/** What the machine itself has to bring: how to tell, and the Debian packages that bring it. */
const COMPILER = {
  name: "C compiler",
  packages: ["gcc", "libc6-dev"],
  isThere: () => compiles("int main(void) { return 0; }", []),
};
const MAKE = { name: "make", packages: ["make"], isThere: () => onPath("make") };
const MBEDTLS = {
  name: "mbedTLS with its headers",
  packages: ["libmbedtls-dev"],
  isThere: () =>
    compiles("#include <mbedtls/gcm.h>\nint main(void) { return 0; }", ["-lmbedcrypto"]),
};
const MOSQUITTO = {
  name: "Mosquitto",
  packages: ["mosquitto"],
  isThere: () => onPath("mosquitto"),
};

const VALGRIND = {
  name: "valgrind",
  packages: ["valgrind"],
  isThere: () => onPath("valgrind"),
};
const FUZZER = {
  name: "clang with libFuzzer",
  packages: ["clang", "libclang-rt-dev"],
  isThere: () =>
    compiles("int LLVMFuzzerTestOneInput(void) { return 0; }", ["-fsanitize=fuzzer"], "clang"),
};

/** Nice to have for tests: what needs it is skipped where it is not. Ubuntu has no such package. */
const CHROMIUM = {
  name: "Chromium",
  packages: ["chromium"],
  isThere: () => onPath("chromium"),
};

/** The same: completion is tested in the shells that are there. */
const SHELLS = ["zsh", "fish"].map((name) => ({
  name,
  packages: [name],
  isThere: () => onPath(name),
}));

/** Children still running, so that Ctrl-C leaves none behind. */
const running = new Set();

/**
 * Runs a program with its output on stderr; resolves to its exit code, or to -1 when it
 * cannot be started. `quiet` drops the output, `input` goes to its stdin.
 */
function run(command, args, { quiet = false, input = "" } = {}) {
  const output = quiet ? "ignore" : 2;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      env: environment,
      stdio: ["pipe", output, output],
    });
    running.add(child);
    const end = (code) => {
      running.delete(child);
      done(code ?? -1);
    };
    child.on("error", () => end(-1));
    child.on("exit", end);
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

async function compiles(source, libraries, compiler = "cc") {
  const args = ["-x", "c", "-", "-o", "/dev/null", ...libraries];
  return (await run(compiler, args, { quiet: true, input: source })) === 0;
}

/** Daemons live in /usr/sbin, which an ordinary user's PATH may lack. */
function onPath(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.some((folder) => existsSync(join(folder, program)));
}

async function missingOf(needs) {
  const missing = [];
  for (const need of needs) if (!(await need.isThere())) missing.push(need);
  return missing;
}

/** The command that may install packages here without asking, or nothing. */
async function installer() {
  if (!onPath("apt-get")) return undefined;
  if (process.getuid?.() === 0) return ["apt-get"];
  const mayInstall = (await run("sudo", ["-n", "true"], { quiet: true })) === 0;
  return mayInstall ? ["sudo", "-n", "apt-get"] : undefined;
}

/** Installs what is missing if it can; returns what is still missing then. */
async function provide(needs) {
  const missing = await missingOf(needs);
  const command = missing.length > 0 ? await installer() : undefined;
  if (command === undefined) return missing;
  const packages = missing.flatMap((need) => need.packages);
  say(`installing ${packages.join(" ")}`);
  const [program, ...first] = command;
  await run(program, [...first, "-qq", "update"]);
  await run(program, [...first, "-qq", "install", "-y", "--no-install-recommends", ...packages]);
  return missingOf(missing);
}

/** The one line that puts right what is missing. */
export function advice(missing) {
  const names = missing.map(({ name }) => name).join(", ");
  const packages = missing.flatMap((need) => need.packages).join(" ");
  return `missing: ${names}. Install with:\n  sudo apt-get install -y ${packages}`;
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldMajor, oldMinor] = OLDEST_NODE;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return;
  throw new Error(`Node.js, expected ${OLDEST_NODE.join(".")} or later, got ${process.version}`);
}

function checkPackages() {
  if (existsSync(bin("tsc")) && existsSync(bin("rollup"))) return;
  throw new Error("the npm packages are not installed. Run: npm ci");
}

/** SQLite's binding is a native library: fetched or built by its install script, which npm may have skipped. */
async function checkDatabase() {
  const script = 'new (require("better-sqlite3"))(":memory:").close()';
  const loads = async () => (await run(process.execPath, ["-e", script], { quiet: true })) === 0;
  if (await loads()) return;
  say("building better-sqlite3");
  await run("npm", ["rebuild", "better-sqlite3"]);
  if (await loads()) return;
  throw new Error(
    "better-sqlite3 does not load, even rebuilt. It needs network access, or a compiler:\n" +
      "  sudo apt-get install -y python3 make g++ && npm rebuild better-sqlite3",
  );
}

async function mustRun(what, command, args) {
  const code = await run(command, args);
  if (code !== 0) throw new Error(`${what} failed (exit code ${code})`);
}

/** Modification time of a file, or of the newest file below a folder; 0 when there is none. */
function newest(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return 0;
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** True when a target is missing or older than one of the sources (files or folders). */
export function isOutdated(sources, targets) {
  const oldestTarget = Math.min(...targets.map(newest));
  return sources.some((source) => newest(source) > oldestTarget);
}

function bundlesOutdated() {
  const inputs = [
    "dist/firmware",
    "dist/protocol",
    "boards",
    "scripts/build",
    "rollup.config.mjs",
    "package-lock.json",
  ];
  const boards = listBoards(join(root, "boards"));
  return isOutdated(
    inputs.map((input) => join(root, input)),
    boards.map((board) => join(root, "build", "firmware", `${board}.js`)),
  );
}

/** tsc and make know themselves what is up to date. Only tests need the tests compiled. */
async function build({ test, withModule }) {
  if (withModule) await mustRun("the C module's build", "make", ["-s", "-C", "native"]);
  const projects = test ? [] : ["firmware", "scripts"];
  await mustRun("the TypeScript build", bin("tsc"), ["-b", ...projects]);
  if (bundlesOutdated()) {
    await mustRun("the firmware's build", bin("rollup"), ["-c", "--silent"]);
  }
}

/**
 * Checks, installs, builds. Without `test` a machine that cannot build the C module
 * goes on without it (the program announces its stand-in); tests need everything.
 */
export async function setup({ test }) {
  checkNode();
  checkPackages();
  const forTests = test ? [MOSQUITTO, VALGRIND, FUZZER] : [];
  const missing = await provide([COMPILER, MAKE, MBEDTLS, ...forTests]);
  if (missing.length > 0 && test) throw new Error(advice(missing));
  if (test && (await provide([CHROMIUM])).length > 0)
    say("going on without Chromium: the page of coseflow flash --web is not tested");
  const absent = test ? await provide(SHELLS) : [];
  for (const { name } of absent) say(`going on without ${name}: completion in it is not tested`);
  if (missing.length > 0) say(`going on without the C module. ${advice(missing)}`);
  await checkDatabase();
  await build({ test, withModule: missing.length === 0 });
}

/** Runs the setup; Ctrl-C ends it with its children. Resolves to true when all is ready. */
export async function setupOrExplain(options) {
  const stop = () => {
    for (const child of running) child.kill();
    process.exit(130);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    await setup(options);
    return true;
  } catch (error) {
    say(`setup: ${error.message}`);
    return false;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ready = await setupOrExplain({ test: process.argv.includes("--test") });
  process.exitCode = ready ? 0 : 1;
}
