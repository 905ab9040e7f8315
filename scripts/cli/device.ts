import type { Command } from "@commander-js/extra-typings";
import { checkId } from "../../cloud/claims.ts";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { parsePublicKey, registerDevice } from "../../cloud/registry.ts";
import type { DeviceSummary } from "../../cloud/store/store.ts";
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { readBytes } from "../board/read-file.ts";
import { EXIT_CODES } from "./exit.ts";
import { findOne } from "./find-device.ts";
import { type Output, printable, when } from "./output.ts";
import { table } from "./table.ts";
import { DATABASE_OPTION, withStore } from "./with-store.ts";

/** A key given in place, rather than the name of a file with one. */
const KEY_IN_PLACE = /^(04[0-9a-fA-F]{128}$|[A-Za-z0-9+/_-]{87}=?$|-----BEGIN)/;
/** Bytes of the raw point: a file may hold it as it is. */
const RAW_POINT = 65;

function readKey(given: string): Bytes {
  if (KEY_IN_PLACE.test(given.trim())) return parsePublicKey(given);
  const content = readBytes(given);
  const isRaw = content.length === RAW_POINT && content[0] === 4;
  return parsePublicKey(content.toString(isRaw ? "hex" : "utf8"));
}

function toJson({ device, registeredAt, sessions, readings }: DeviceSummary) {
  const { kid, name = null, publicKey, state, deviceId = null, userId = null } = device;
  return {
    ...{ kid: toHex(kid), name, publicKey: toHex(publicKey), state, deviceId, userId },
    ...{ registeredAt, sessions, readings },
  };
}

function toRow({ device, registeredAt, sessions, readings }: DeviceSummary): string[] {
  const { kid, name = "-", state, deviceId = "-", userId = "-" } = device;
  return [
    ...[toHex(kid), printable(name), state, printable(deviceId), printable(userId)],
    ...[String(sessions), String(readings), when(registeredAt)],
  ];
}

const HEAD = ["KID", "NAME", "STATE", "DEVICE", "USER", "SESSIONS", "READINGS", "REGISTERED"];

function details(summary: DeviceSummary): string {
  const certificate = summary.device.certificate;
  const lines = [
    ...HEAD.map((head, column) => [head.toLowerCase(), toRow(summary)[column] ?? ""]),
    ["public key", toHex(summary.device.publicKey)],
    ["certificate", certificate === undefined ? "-" : toHex(certificate)],
  ];
  return lines.map(([name = "", value]) => `${name.padEnd(12)}${value}\n`).join("");
}

const REVOCATIONS = {
  revoked: "revoked, for ever\n",
  repeat: "was revoked before\n",
} as const;

function addRevoke(device: Command, output: Output): void {
  device
    .command("revoke")
    .description("take nothing from a device's key any more, for ever")
    .argument("<device>", "key id, device id or name")
    .option("--json", "key id and outcome in one line of JSON")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
For a device that is lost, or whose delete was never confirmed. Its device id becomes free
for a claim that names it. A restored backup does not undo this.

${EXIT_CODES}

Example:
  $ coseflow device revoke boiler`,
    )
    .action(async (name, { json, db }) => {
      const [kid, outcome] = await withStore(db, async (store) => {
        const { device: found } = await findOne(store, name);
        const now = Math.floor(Date.now() / 1000);
        return [toHex(found.kid), await store.revokeDevice(found.kid, now)] as const;
      });
      if (outcome !== "revoked" && outcome !== "repeat")
        throw new Error(`device ${kid}, expected one to revoke, got ${outcome}`);
      const line = json
        ? `${JSON.stringify({ kid, outcome })}\n`
        : `${kid} ${REVOCATIONS[outcome]}`;
      output.out(line);
    });
}

function addShow(device: Command, output: Output): void {
  device
    .command("show")
    .description("show one device, with its key and certificate")
    .argument("<device>", "key id, device id or name")
    .option("--json", "one line of JSON")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow device show boiler
  $ coseflow device show 7dede6efc46eb7e6 --json`,
    )
    .action(async (name, { json, db }) => {
      const found = await withStore(db, (store) => findOne(store, name));
      const { certificate } = found.device;
      const hex = certificate === undefined ? null : toHex(certificate);
      const line = JSON.stringify({ ...toJson(found), certificate: hex });
      output.out(json ? `${line}\n` : details(found));
    });
}

export function addDeviceCommand(program: Command, output: Output): void {
  const device = program
    .command("device")
    .description("the devices that the cloud listens to")
    .addHelpText(
      "after",
      "\nExamples:\n  $ coseflow device register --key 04a1...\n  $ coseflow device list",
    );

  device
    .command("register")
    .description("let a device in by its public key, and print its key id")
    .requiredOption(
      "--key <key>",
      "public key: 130 hexadecimal digits, 65 bytes as base64, PEM, or a file with one of them",
    )
    .option("--name <name>", "what to call the device")
    .option("--device <id>", "the device id that it may enrol under without a claim")
    .option("--user <id>", "the user that it belongs to")
    .option("--json", "the key id in one line of JSON")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
The same key again changes nothing but name, device id and user, where they are given. A
device that was deleted or revoked is not let in again.

${EXIT_CODES}

Examples:
  $ coseflow device register --key device.pem --name greenhouse
  $ coseflow device register --key 04a1b2...`,
    )
    .action(async ({ key, name, device: deviceId, user, json, db }) => {
      const publicKey = readKey(key);
      const owner = {
        deviceId: deviceId === undefined ? undefined : checkId("device id", deviceId),
        userId: user === undefined ? undefined : checkId("user id", user),
      };
      const crypto = createNodeCrypto();
      const { kid } = await withStore(db, (store) =>
        registerDevice({ crypto, store }, publicKey, name, owner),
      );
      output.out(json ? `${JSON.stringify({ kid: toHex(kid) })}\n` : `${toHex(kid)}\n`);
    });

  device
    .command("list")
    .description("show the devices")
    .option("--json", "one line of JSON for each device")
    .option(...DATABASE_OPTION)
    .addHelpText(
      "after",
      `
${EXIT_CODES}

Examples:
  $ coseflow device list
  $ coseflow device list --json`,
    )
    .action(async ({ json, db }) => {
      const devices = await withStore(db, (store) => store.listDevices());
      if (!json) return output.out(table(HEAD, devices.map(toRow)));
      for (const summary of devices) output.out(`${JSON.stringify(toJson(summary))}\n`);
    });
  addShow(device as Command, output);
  addRevoke(device as Command, output);
}
