/** The board definitions for Espruino, over stand-ins for the stock ones, and the flash layout. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const boards = join(import.meta.dirname, "../../native/espruino/boards");

interface Definition {
  info: { variables: number; build: { libraries: string[]; makefile: string[] } };
  chip: { flash: number; saved_code: { address: number; page_size: number; pages: number } };
}

/** What of the stock boards matters here: their libraries, and the lines that must go or stay. */
const STOCK = `
info = {'name': 'stock', 'variables': VARIABLES, 'build': {
  'libraries': ['ESP32', 'NET', 'GRAPHICS', 'CRYPTO', 'TLS', 'TELNET', 'FILESYSTEM', 'BLUETOOTH',
                'NEOPIXEL', 'TENSORFLOW'],
  'makefile': ['DEFINES+=-DBLUETOOTH_NAME_PREFIX="Espruino"', 'DEFINES+=-DESPR_UNICODE_SUPPORT=1',
               'DEFINES+=-DUSE_FONT_6X8', 'DEFINES+=-DSTAYS']}}
chip = {'flash': 256, 'saved_code': {'address': 0x320000, 'page_size': 4096, 'pages': 224,
                                     'flash_available': 1344}}
devices = {}
boards = []
def get_pins(): return []
`;

const hasPython = spawnSync("python3", ["--version"]).status === 0;
let stock = "";

beforeAll(() => {
  stock = mkdtempSync(join(tmpdir(), "coseflow-boards-"));
  const write = (name: string, variables: number) =>
    writeFileSync(join(stock, `${name}.py`), STOCK.replace("VARIABLES", String(variables)));
  write("LINUX", 0);
  write("ESP32C3_IDF4", 4095);
  write("ESP32S3_IDF4", 16383);
});
afterAll(() => rmSync(stock, { recursive: true, force: true }));

function load(name: string): Definition {
  const program = `import json, ${name} as board; board.get_pins(); board.devices
print(json.dumps({'info': board.info, 'chip': board.chip}))`;
  const env = {
    ...process.env,
    PYTHONPATH: `${boards}:${stock}`,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  return JSON.parse(execFileSync("python3", ["-c", program], { env, encoding: "utf8" }));
}

describe.skipIf(!hasPython)("board definitions for Espruino", () => {
  const names = ["COSEFLOW_LINUX", "COSEFLOW_ESP32C3", "COSEFLOW_ESP32S3"];

  it.each(names)("%s: devcrypto is in, open consoles and fonts are out", (name) => {
    const { build } = load(name).info;
    const makefile = build.makefile.join("\n");
    for (const library of ["BLUETOOTH", "TELNET", "GRAPHICS", "NEOPIXEL", "TENSORFLOW"])
      expect(build.libraries).not.toContain(library);
    expect(build.libraries).toEqual(expect.arrayContaining(["NET", "CRYPTO", "TLS"]));
    expect(makefile).toMatch(/WRAPPERSOURCES \+= .*jswrap_devcrypto\.c/);
    expect(makefile).not.toMatch(/BLUETOOTH|USE_FONT/);
    expect(makefile).toContain("-DSTAYS");
  });

  it.each(names)("%s names every part of the glue, and files that exist", (name) => {
    const makefile = load(name).info.build.makefile.join(" ");
    const files = [...makefile.matchAll(/libs\/coseflow\/(\S+\.c)\b/g)].map(([, file]) => file);
    for (const file of files) readFileSync(join(boards, "../..", file as string));
    const glue = files.filter((file) => file?.includes("jswrap_")).length;
    expect(glue).toBe(5);
  });

  it("Linux resembles a board: fixed variables, strings of bytes, and /proc for its sensor", () => {
    const { info, chip } = load("COSEFLOW_LINUX");
    const makefile = info.build.makefile.join("\n");
    expect(info.variables).toBe(4095);
    expect(info.build.libraries).toContain("FILESYSTEM");
    expect(makefile).not.toContain("UNICODE");
    expect(makefile).toContain("build/native/devcrypto-espruino.o");
    expect(chip.flash * 1024).toBe(chip.saved_code.pages * chip.saved_code.page_size);
  });

  it.each(["COSEFLOW_ESP32C3", "COSEFLOW_ESP32S3"])(
    "%s: whole core, no file system, our settings",
    (name) => {
      const { build } = load(name).info;
      const makefile = build.makefile.join("\n");
      expect(build.libraries).not.toContain("FILESYSTEM");
      for (const file of ["core/certificate.c", "core/ring.c", "port/port_esp32.c"])
        expect(makefile).toContain(`libs/coseflow/${file}`);
      expect(makefile).toMatch(/^override SDKCONFIG = .*sdkconfig\.coseflow$/m);
    },
  );
});

interface Partition {
  name: string;
  type: string;
  subtype: string;
  offset: number;
  size: number;
}

const partitions: Partition[] = readFileSync(join(boards, "partitions.csv"), "utf8")
  .split("\n")
  .filter((line) => line.trim() !== "" && !line.startsWith("#"))
  .map((line) => line.split(",").map((cell) => cell.trim()))
  .map(([name = "", type = "", subtype = "", offset, size]) => ({
    name,
    type,
    subtype,
    offset: Number(offset),
    size: Number(size),
  }));

const find = (name: string) => partitions.find((partition) => partition.name === name);

describe("the flash layout", () => {
  const FLASH = 4 * 1024 * 1024;
  /** Behind the bootloader and the table itself. */
  const FIRST = 0x9000;

  it("has no gap and no overlap, and fills 4 MB", () => {
    let next = FIRST;
    for (const { offset, size } of partitions) {
      expect(offset).toBe(next);
      next += size;
    }
    expect(next).toBe(FLASH);
  });

  it("is aligned as ESP-IDF wants it: applications to 64 KiB, all else to a sector", () => {
    for (const { type, offset, size } of partitions) {
      expect(offset % (type === "app" ? 0x10000 : 0x1000)).toBe(0);
      expect(size % 0x1000).toBe(0);
    }
  });

  it("has two applications of one size", () => {
    const applications = partitions.filter(({ type }) => type === "app");
    expect(applications.map(({ subtype }) => subtype)).toEqual(["ota_0", "ota_1"]);
    expect(applications[0]?.size).toBe(applications[1]?.size);
    expect(find("otadata")?.size).toBe(0x2000);
  });

  it("keeps keys out of the partition that Espruino erases, and the ring off what it offers", () => {
    expect(find("devkeys")).toMatchObject({ type: "data", subtype: "nvs" });
    expect(find("devkeys")?.size).toBeGreaterThanOrEqual(0x3000);
    expect(find("nvs")?.size).toBeGreaterThanOrEqual(0x3000);
    // Espruino's flash that programs may use, at the address it has in its source.
    expect(find("flash")).toMatchObject({ offset: 0x310000, size: 0x10000 });
    expect(find("ring")?.size).toBeGreaterThanOrEqual(2 * 0x1000);
  });

  it.skipIf(!hasPython)(
    "agrees with the boards about Storage and the size of an application",
    () => {
      for (const name of ["COSEFLOW_ESP32C3", "COSEFLOW_ESP32S3"]) {
        const saved = load(name).chip.saved_code;
        expect(find("storage")).toMatchObject({
          offset: saved.address,
          size: saved.pages * saved.page_size,
        });
      }
    },
  );

  it("names are those the port opens", () => {
    const header = readFileSync(join(boards, "../../port/port_esp32.h"), "utf8");
    expect(header).toContain('#define DC_ESP32_KEYS "devkeys"');
    expect(header).toContain('#define DC_ESP32_RING "ring"');
  });
});

describe("ESP-IDF's settings", () => {
  const lines = readFileSync(join(boards, "sdkconfig.coseflow"), "utf8").split("\n");

  it("have the big-number unit off, short attempts to connect, no Bluetooth", () => {
    expect(lines).toContain("# CONFIG_MBEDTLS_HARDWARE_MPI is not set");
    expect(lines).toContain("CONFIG_LWIP_TCP_SYNMAXRTX=3");
    expect(lines).toContain("# CONFIG_BT_ENABLED is not set");
    expect(lines).toContain(
      'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="../libs/coseflow/espruino/boards/partitions.csv"',
    );
  });
});
