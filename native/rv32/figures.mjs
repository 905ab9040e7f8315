/**
 * Figures of the core on RV32IMC: read from the linker's map and the program's lines,
 * judged against budgets and against what is recorded, shown as a table.
 */

/** Bytes and instructions that a small ESP32 can spare for the module. */
export const BUDGETS = {
  /** Code and constants of the core and of the mbedTLS it needs. */
  flash: 58 * 1024,
  /** Of any operation: a C3's task has 15,000 bytes, most of them the interpreter's. */
  stack: 3276,
  /** The most that is allocated at a time. */
  heap: 6 * 1024,
  /** Instructions of a session message: about a third of a second at 160 MHz. */
  sessionMessage: 36_000_000,
};

/** mbedTLS 3.6 takes more for the same: measured, and not what a C3's ESP-IDF has. */
const JUDGED = "2.28";

const FLASH = /^\.(?:text|s?rodata|s?data)(?:\.|$)/;
const RAM = /^\.(?:s?data|s?bss)(?:\.|$)/;
const SECTION = /^ (\.\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$/gm;
const PARTS = { core: /\/core\/[^/]+\.o$/, mbedtls: /libmbedcrypto\.a\(/ };

/** { core: { flash, ram }, mbedtls: { flash, ram } } in bytes: the sections that were linked. */
export function readMap(text) {
  const sizes = { core: { flash: 0, ram: 0 }, mbedtls: { flash: 0, ram: 0 } };
  const linked = text.slice(text.indexOf("Linker script and memory map"));
  for (const [, section, size, file] of linked.matchAll(SECTION)) {
    const part = Object.keys(PARTS).find((name) => PARTS[name].test(file));
    if (part === undefined) continue;
    if (FLASH.test(section)) sizes[part].flash += Number.parseInt(size, 16);
    if (RAM.test(section)) sizes[part].ram += Number.parseInt(size, 16);
  }
  return sizes;
}

/** What the program printed: { operations: { <name>: { instructions, stack, heap } }, module, … }. */
export function readLines(text) {
  const figures = { operations: {} };
  for (const line of text.trim().split("\n")) {
    const [kind, ...words] = line.split(" ");
    if (kind !== "operation") figures[kind] = Number(words[0]);
    else {
      const [instructions, stack, heap] = words.slice(1).map(Number);
      figures.operations[words[0]] = { instructions, stack, heap };
    }
  }
  if (figures["heap-left"] !== 0) throw new Error(`figures, expected all, got: ${text}`);
  return figures;
}

/** The record of one mbedTLS from its two sources. */
export function summarize(source, map, lines) {
  const { core, mbedtls } = readMap(map);
  const { operations, module, "heap-kept": kept } = readLines(lines);
  return {
    source,
    flash: { core: core.flash, mbedtls: mbedtls.flash },
    ram: { static: core.ram + mbedtls.ram, module, curve: kept },
    operations,
  };
}

const most = (figures, what) =>
  Math.max(...Object.values(figures.operations).map((operation) => operation[what]));

/** What exceeds its budget, one sentence each. */
export function judgeBudgets(version, figures) {
  if (version !== JUDGED) return [];
  const spent = {
    flash: figures.flash.core + figures.flash.mbedtls,
    stack: most(figures, "stack"),
    heap: most(figures, "heap"),
    sessionMessage: figures.operations["session-message"].instructions,
  };
  return Object.keys(BUDGETS)
    .filter((name) => !(spent[name] <= BUDGETS[name]))
    .map((name) => `${name}: expected at most ${BUDGETS[name]}, got ${spent[name]}`);
}

/** What differs from the record, one sentence each. Another toolchain makes other code: no matter. */
export function judgeRecord(recorded, version, toolchain, figures) {
  if (recorded.toolchain !== toolchain) return [];
  const before = flatten(recorded.mbedtls?.[version] ?? {});
  const after = flatten(figures);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => before[name] !== after[name])
    .map(
      (name) => `${name}: recorded ${before[name] ?? "nothing"}, got ${after[name] ?? "nothing"}`,
    );
}

/** { flash: { core: 1 } } as { "flash core": 1 }. */
function flatten(value, path = []) {
  if (typeof value !== "object") return { [path.join(" ")]: value };
  return Object.assign({}, ...Object.keys(value).map((key) => flatten(value[key], [...path, key])));
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

/** The record as two Markdown tables. */
export function toMarkdown(record) {
  const versions = Object.keys(record.mbedtls);
  const all = versions.map((version) => record.mbedtls[version]);
  const row = (name, values) => `| ${[name, ...values].join(" | ")} |`;
  const heads = versions.map((version) => `mbedTLS ${version}`);
  const line = (columns) => `|---|${"---:|".repeat(columns)}`;
  const memory = {
    "code and constants of the core": (f) => f.flash.core,
    "of the mbedTLS it needs": (f) => f.flash.mbedtls,
    "static RAM": (f) => f.ram.static,
    "`struct dc`, the caller's": (f) => f.ram.module,
    "heap kept while the module is open": (f) => f.ram.curve,
    "heap, the most at a time": (f) => most(f, "heap"),
    "stack, the deepest operation": (f) => most(f, "stack"),
  };
  const names = [...new Set(all.flatMap((figures) => Object.keys(figures.operations)))];
  const cost = (figures, name) => {
    const { instructions, stack, heap } = figures.operations[name] ?? {};
    return [instructions, stack, heap].map((n) => (n === undefined ? "" : grouped(n)));
  };
  return [
    row("bytes", heads),
    line(versions.length),
    ...Object.entries(memory).map(([name, of]) =>
      row(
        name,
        all.map((f) => grouped(of(f))),
      ),
    ),
    "",
    row(
      "operation",
      heads.flatMap((head) => [`${head}: instructions`, "stack", "heap"]),
    ),
    line(3 * versions.length),
    ...names.map((name) =>
      row(
        name,
        all.flatMap((figures) => cost(figures, name)),
      ),
    ),
  ].join("\n");
}

const TABLE = /(<!-- figures -->\n)[\s\S]*?(<!-- end of figures -->)/;

/** The document with the tables of this record in their place. */
export function withTables(document, record) {
  if (!TABLE.test(document))
    throw new Error("README, expected the place for the figures, got none");
  return document.replace(TABLE, (_, start, end) => `${start}\n${toMarkdown(record)}\n\n${end}`);
}
