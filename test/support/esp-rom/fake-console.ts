import { createContext, runInContext } from "node:vm";
import { crc32 } from "../../../scripts/flash/crc32.ts";

export interface FakeConsoleOptions {
  /** As process.env.BOARD of an Espruino. */
  board: string;
  hasDevcrypto: boolean;
  files: Map<string, string>;
  /** As status() tells it. */
  keyId: string | undefined;
  /** In hexadecimal digits. */
  publicKey: string;
  print(text: string): void;
  restart(): void;
}

export interface FakeConsole {
  /** Takes characters that were typed. */
  type(text: string): void;
}

const NO_ECHO = "\x10";
const CLEAR_LINE = "\x1b[2H";

/** The console of an Espruino, as far as a line of ours goes: evaluated by Node, with files in a Map. */
export function createFakeConsole(options: FakeConsoleOptions): FakeConsole {
  const { files, print } = options;
  let line = "";
  let scope = createScope();

  function createScope() {
    const storage = {
      read(name: string, at = 0, length?: number) {
        const text = files.get(name);
        return text?.slice(at, length === undefined ? undefined : at + length);
      },
      write(name: string, text: string, at: number, size: number) {
        const old = at === 0 ? "\xff".repeat(size) : (files.get(name) ?? "");
        if (/[^\xff]/.test(old.slice(at, at + text.length)))
          throw new Error("File already written with different data");
        files.set(name, old.slice(0, at) + text + old.slice(at + text.length));
      },
      erase: (name: string) => void files.delete(name),
    };
    const devcrypto = {
      keyAgreementWrap() {},
      openDeviceKey: () => 1,
      exportPublicKey: () => Buffer.from(options.publicKey, "hex").toString("latin1"),
    };
    const global: Record<string, unknown> = {
      E: {
        CRC32: (text: string) => crc32(Buffer.from(text, "latin1")),
        kickWatchdog: () => {},
        toUint8Array: (text: string) => [...Buffer.from(text, "latin1")],
      },
      ESP32: { reboot: options.restart },
      atob,
      process: { env: { BOARD: options.board }, version: "2v29" },
      print: (text: string) => print(`${text}\r\n`),
      setTimeout,
      status: () => ({ kid: options.keyId }),
      reset() {
        scope = createScope();
        print("\r\n2v29 (c) 2026\r\n>");
      },
      require(name: string) {
        if (name === "Storage") return storage;
        if (name === "devcrypto" && options.hasDevcrypto) return devcrypto;
        throw new Error(`Module ${name} not found`);
      },
    };
    global.global = global;
    return createContext(global);
  }

  function run(text: string): void {
    const isSilent = text.startsWith(NO_ECHO);
    const code = text.replaceAll(NO_ECHO, "");
    if (!isSilent) print(`${code}\r\n`);
    try {
      runInContext(code, scope);
    } catch (error) {
      print(`Uncaught ${(error as Error).message}\r\n`);
    }
    print(">");
  }

  return {
    type(text) {
      line += text;
      for (let end = line.indexOf("\n"); end >= 0; end = line.indexOf("\n")) {
        const whole = line.slice(0, end);
        line = line.slice(end + 1);
        const begin = whole.lastIndexOf(CLEAR_LINE);
        run((begin < 0 ? whole : whole.slice(begin + CLEAR_LINE.length)).replaceAll("\x03", ""));
      }
    },
  };
}
