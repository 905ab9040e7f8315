import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { judgeBudgets, judgeRecord, summarize, withTables } from "./figures.mjs";

/**
 * report.mjs VERSION DIRECTORY SOURCE [--record]: the figures of one build, compared
 * with size.json and its budgets; --record writes size.json and the README's tables.
 */
const native = resolve(import.meta.dirname, "..");
const recordFile = join(native, "size.json");
const readmeFile = join(native, "README.md");

/** Compiler and C library: others make other code. */
function toolchain() {
  const gcc = "riscv64-unknown-elf-gcc";
  const version = execFileSync(gcc, ["-dumpfullversion"], { encoding: "utf8" }).trim();
  const options = ["-specs=picolibc.specs", "-E", "-dM", "-include", "picolibc.h", "-x", "c", "-"];
  const macros = execFileSync(gcc, options, { encoding: "utf8", input: "" });
  const [, library] = /__PICOLIBC_VERSION__ "([^"]*)"/.exec(macros) ?? [];
  return `${gcc} ${version}, picolibc ${library}`;
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, "utf8"));
  } catch {
    return { toolchain: "", mbedtls: {} };
  }
}

function write(record) {
  writeFileSync(recordFile, `${JSON.stringify(record, null, 2)}\n`);
  writeFileSync(readmeFile, withTables(readFileSync(readmeFile, "utf8"), record));
}

function print(version, figures) {
  const { flash, ram, operations } = figures;
  console.log(
    `mbedTLS ${version} (${figures.source}), bytes: core ${flash.core}, mbedTLS ${flash.mbedtls}`,
  );
  console.log(`static RAM ${ram.static}, struct dc ${ram.module}, kept heap ${ram.curve}`);
  console.table(operations);
}

function main([version, directory, source, option]) {
  const read = (name) => readFileSync(join(directory, name), "utf8");
  const figures = summarize(source, read("figures.map"), read("figures.txt"));
  print(version, figures);
  const record = readRecord();
  const current = toolchain();
  const faults = judgeBudgets(version, figures);
  if (option === "--record")
    write({ ...record, toolchain: current, mbedtls: { ...record.mbedtls, [version]: figures } });
  else {
    const changes = judgeRecord(record, version, current, figures);
    if (record.toolchain !== current)
      console.log(`not compared: size.json is of ${record.toolchain}, this is ${current}`);
    if (changes.length > 0) changes.push("Run `make -C native rv32 RECORD=1` to record them.");
    faults.push(...changes);
  }
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = main(process.argv.slice(2));
