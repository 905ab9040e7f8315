import { readFileSync } from "node:fs";
import type { Command } from "@commander-js/extra-typings";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { parsePublicKey, registerDevice } from "../../cloud/registry.ts";
import { openSqliteStore } from "../../cloud/store/sqlite.ts";
import type { DeviceSummary, Store } from "../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { DATABASE } from "./defaults.ts";
import { type Output, printable } from "./output.ts";
import { table } from "./table.ts";

const DATABASE_OPTION = ["--db <file>", "database", DATABASE] as const;

/** A key given in place, rather than the name of a file with one. */
const KEY_IN_PLACE = /^(04[0-9a-fA-F]{128}$|[A-Za-z0-9+/_-]{87}=?$|-----BEGIN)/;
/** Bytes of the raw point: a file may hold it as it is. */
const RAW_POINT = 65;

function readKey(given: string): Bytes {
  if (KEY_IN_PLACE.test(given.trim())) return parsePublicKey(given);
  const content = readFileSync(given);
  const isRaw = content.length === RAW_POINT && content[0] === 4;
  return parsePublicKey(content.toString(isRaw ? "hex" : "utf8"));
}

async function withStore<T>(path: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = openSqliteStore(path);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function toJson({ device, registeredAt, sessions, readings }: DeviceSummary) {
  const { kid, name = null, publicKey } = device;
  const key = { kid: toHex(kid), name, publicKey: toHex(publicKey) };
  return { ...key, registeredAt, sessions, readings };
}

function toTable(devices: DeviceSummary[]): string {
  const rows = devices.map(({ device, registeredAt, sessions, readings }) => [
    toHex(device.kid),
    printable(device.name ?? "-"),
    String(sessions),
    String(readings),
    new Date(registeredAt * 1000).toISOString(),
  ]);
  return table(["KID", "NAME", "SESSIONS", "READINGS", "REGISTERED"], rows);
}

export function addDeviceCommand(program: Command, output: Output): void {
  const device = program.command("device").description("the devices that the cloud listens to");

  device
    .command("register")
    .description("let a device in by its public key, and print its key id")
    .requiredOption(
      "--key <key>",
      "public key: 130 hexadecimal digits, 65 bytes as base64, PEM, or a file with one of them",
    )
    .option("--name <name>", "what to call the device")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
The same key again changes nothing but the name, where one is given.

Examples:
  $ coseflow device register --key device.pem --name greenhouse
  $ coseflow device register --key 04a1b2...`,
    )
    .action(async ({ key, name, db }) => {
      const publicKey = readKey(key);
      const crypto = createNodeCrypto();
      const { kid } = await withStore(db, (store) =>
        registerDevice({ crypto, store }, publicKey, name),
      );
      output.out(`${toHex(kid)}\n`);
    });

  device
    .command("list")
    .description("show the devices")
    .option("--json", "one line of JSON for each device")
    .option(...DATABASE_OPTION)
    .action(async ({ json, db }) => {
      const devices = await withStore(db, (store) => store.listDevices());
      if (!json) return output.out(toTable(devices));
      for (const summary of devices) output.out(`${JSON.stringify(toJson(summary))}\n`);
    });
}
