/** The figures of the C module on RV32IMC: what is recorded, and how it is read and judged. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  BUDGETS,
  type FiguresRecord,
  judgeBudgets,
  judgeRecord,
  summarize,
  withTables,
} from "../../native/rv32/figures.mjs";

const native = join(import.meta.dirname, "..", "..", "native");
const read = (name: string) => readFileSync(join(native, name), "utf8");
const recorded: FiguresRecord = JSON.parse(read("size.json"));

const MAP = `Discarded input sections
 .text.gone     0x00000000      0x999 build/core/aead.o
Linker script and memory map
 .text.seal     0x80000000       0x10 build/core/aead.o
 .text.a_function_with_a_long_name
                0x80000010      0x100 build/core/aead.o
 .rodata.table  0x80000110       0x20 lib/libmbedcrypto.a(aes.o)
 .sdata.value   0x80200000        0x4 lib/libmbedcrypto.a(aes.o)
 .sbss.flag     0x80200004        0x1 build/core/slots.o
 .text.main     0x80000400      0x800 build/rv32/main.o
 .text.memcpy   0x80000500      0x800 /usr/lib/libc.a(memcpy.o)
`;

const LINES = `operation sign 9 100 200
operation session-message 35000000 1500 3000
module 6700
heap-kept 948
heap-left 0
`;

describe("figures on RV32IMC", () => {
  const figures = summarize("mbedtls_2.28.3-1", MAP, LINES);

  it("count what was linked of the core and of mbedTLS", () => {
    expect(figures).toEqual({
      source: "mbedtls_2.28.3-1",
      flash: { core: 0x110, mbedtls: 0x24 },
      ram: { static: 5, module: 6700, curve: 948 },
      operations: {
        sign: { instructions: 9, stack: 100, heap: 200 },
        "session-message": { instructions: 35_000_000, stack: 1500, heap: 3000 },
      },
    });
  });

  it("are refused when the program did not come to its end, or left memory behind", () => {
    expect(() =>
      summarize("", MAP, "operation sign 9 100 200\nsign: expected 0, got -9"),
    ).toThrow();
    expect(() => summarize("", MAP, LINES.replace("left 0", "left 8"))).toThrow();
  });

  it("are judged against each budget", () => {
    expect(judgeBudgets("2.28", figures)).toEqual([]);
    const flash = { core: BUDGETS.flash, mbedtls: 1 };
    const operations = {
      sign: { instructions: 9, stack: BUDGETS.stack + 1, heap: BUDGETS.heap + 1 },
      "session-message": { instructions: BUDGETS.sessionMessage + 1, stack: 0, heap: 0 },
    };
    const faults = judgeBudgets("2.28", { ...figures, flash, operations });
    expect(faults.map((fault) => fault.split(":")[0])).toEqual(Object.keys(BUDGETS));
  });

  it("are compared with what is recorded for the same toolchain", () => {
    const record = { toolchain: "gcc 12", mbedtls: { "2.28": figures } };
    expect(judgeRecord(record, "2.28", "gcc 12", figures)).toEqual([]);
    const ram = { ...figures.ram, module: 6704 };
    const { sign: _, ...operations } = figures.operations;
    const changed = { ...figures, ram, operations };
    expect(judgeRecord(record, "2.28", "gcc 12", changed)).toEqual([
      "ram module: recorded 6700, got 6704",
      "operations sign instructions: recorded 9, got nothing",
      "operations sign stack: recorded 100, got nothing",
      "operations sign heap: recorded 200, got nothing",
    ]);
    expect(judgeRecord(record, "2.28", "gcc 13", changed)).toEqual([]);
  });

  it("that are recorded keep their budgets, and stand in the README", () => {
    expect(Object.keys(recorded.mbedtls)).toEqual(["2.28", "3.6"]);
    for (const [version, one] of Object.entries(recorded.mbedtls))
      expect(judgeBudgets(version, one)).toEqual([]);
    expect(read("README.md")).toBe(withTables(read("README.md"), recorded));
  });
});
