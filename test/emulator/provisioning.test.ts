/**
 * The provisioning messages in Espruino itself, with the C module: bundled as the firmware
 * is, what the device makes opens outside, and what is made for it outside opens there.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type OutputOptions, type Plugin, rollup } from "rollup";
import { afterEach, expect, it } from "vitest";
import { type Bytes, bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import { ACTION_REQUEST, ACTION_UPDATE, type Command } from "../../protocol/command-content.ts";
import { createCommandMaker } from "../../protocol/command-message.ts";
import { MESSAGE_HASH_LENGTH, parseSign1 } from "../../protocol/cose/sign1.ts";
import { createEnrolOpener } from "../../protocol/enrol-message.ts";
import { createEnrolledMaker } from "../../protocol/enrolled-message.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { createReplyOpener, STATUS_STALE } from "../../protocol/reply-message.ts";
import { bundleOptions } from "../../scripts/build/bundle.mjs";
import { temporaryDirectory } from "../support/built.ts";
import { readCsrKey } from "../support/csr.ts";
import { makeParty, nodeCrypto } from "../support/parties.ts";
import { boot, describeEspruino, type Interpreter, writeFlash } from "./espruino.ts";

const dist = join(import.meta.dirname, "..", "..", "dist");
/** Variables beside those of the codecs themselves; a third of it are the test's own hexadecimal digits. */
const MOST_VARIABLES = 900;
const CLAIM = bytes("0123456789abcdef");
const IDS = { deviceId: bytes("shed-3"), userId: bytes("ann") };

/** Each function makes what it needs, and drops it, as the firmware does. */
const DEVICE = `
import { fromHex, toHex } from "./dist/protocol/bytes.js";
import { createCommandOpener } from "./dist/protocol/command-message.js";
import { createEnrolMaker } from "./dist/protocol/enrol-message.js";
import { createEnrolledOpener } from "./dist/protocol/enrolled-message.js";
import { thumbprintOf } from "./dist/protocol/kid.js";
import { createReplyMaker } from "./dist/protocol/reply-message.js";

const crypto = require("devcrypto");
const key = crypto.openDeviceKey();
const publicKey = crypto.exportPublicKey(key);
const device = { key: key, thumbprint: thumbprintOf(crypto, publicKey) };
let cloud;
let peak = 0;

/** While the largest message is open, with all that opening it needs. */
function measure() {
  peak = Math.max(peak, process.memory().usage);
}

function refused(action) {
  try {
    return action();
  } catch (error) {
    return error.code;
  }
}

global["setCloud"] = function (hex) {
  const point = fromHex(hex);
  cloud = { publicKey: point, thumbprint: thumbprintOf(crypto, point) };
};
global["enrol"] = function (deviceId, userId, claim) {
  const enrolment = { csr: crypto.writeCsr(key), deviceId: deviceId, userId: userId, claim: claim };
  const makeEnrol = createEnrolMaker(crypto);
  return toHex(makeEnrol(device, [cloud], crypto.nextDeviceCounter(), enrolment).message);
};
global["reply"] = function (command, status, detail) {
  const reply = { command: fromHex(command), status: status, detail: detail };
  const makeReply = createReplyMaker(crypto);
  return toHex(makeReply(device, [cloud], crypto.nextDeviceCounter(), reply).message);
};
global["openEnrolled"] = function (hex, signer) {
  return refused(function () {
    const opener = createEnrolledOpener(crypto);
    const parsed = opener.parse(fromHex(hex));
    const enrolled = opener.open(parsed, device, fromHex(signer));
    measure();
    const floor = enrolled.settings.issuedNotBefore;
    return [parsed.leaf, toHex(enrolled.request), enrolled.certificate, enrolled.time, floor.cloud];
  });
};
global["openCommand"] = function (hex, signer) {
  return refused(function () {
    const opener = createCommandOpener(crypto);
    const parsed = opener.parse(fromHex(hex));
    const opened = opener.open(parsed, device, fromHex(signer));
    measure();
    const command = opened.command;
    const wifi = command.update ? command.update.wifi.map((each) => [each.ssid, each.password]) : [];
    return [parsed.form, toHex(opened.hash), command.counter, command.action, command.deviceId, command.userId, wifi];
  });
};
global["peakUsage"] = () => peak;
print("--key " + toHex(publicKey));
`;

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Bundled by the firmware's own options, gate included, but for the entry. */
async function bundle(directory: string): Promise<string> {
  const boardFile = join(directory, "provisioning.json");
  await writeFile(boardFile, JSON.stringify({ name: "provisioning", sensors: [] }));
  const options = bundleOptions({ boardFile, dist, outputDirectory: directory });
  const { output, plugins, ...rest } = options;
  const entry: Plugin = {
    name: "entry",
    resolveId: (id) => (id === "device" ? "\0device" : null),
    load: (id) => (id === "\0device" ? DEVICE.replaceAll("./dist", dist) : null),
  };
  const built = await rollup({ ...rest, input: "device", plugins: [entry, plugins] });
  const { output: chunks } = await built.generate(output as OutputOptions);
  await built.close();
  return chunks[0].code;
}

async function start(): Promise<[Interpreter, { publicKey: Bytes; thumbprint: Bytes }]> {
  const [directory, remove] = await temporaryDirectory("provisioning");
  cleanUp.push(remove);
  await writeFlash(directory, { ".bootcde": await bundle(directory) });
  const interpreter = boot(directory);
  cleanUp.push(interpreter.powerOff);
  const [, digits] = await interpreter.line(/--key ([0-9a-f]{130})/);
  const publicKey = fromHex(digits as string) as Bytes;
  return [interpreter, { publicKey, thumbprint: thumbprintOf(nodeCrypto, publicKey) }];
}

const call = (name: string, ...args: unknown[]) =>
  `${name}(${args.map((each) => JSON.stringify(each) ?? "undefined").join(",")})`;

describeEspruino("provisioning messages in Espruino", () => {
  it("are made for the cloud and opened from it", async () => {
    const cloud = makeParty();
    const registrar = makeParty();
    const provisioner = makeParty();
    const [espruino, device] = await start();
    const before = await espruino.evaluate("process.memory().usage");
    await espruino.evaluate(call("setCloud", toHex(cloud.publicKey)));

    const made = (await espruino.evaluate(call("enrol", "shed-3", "ann", CLAIM))) as string;
    const enrol = createEnrolOpener(nodeCrypto, readCsrKey);
    const request = enrol.parse(fromHex(made) as Bytes);
    const opened = enrol.open(request, kidOf(device.thumbprint), cloud);
    expect(opened).toMatchObject({ counter: 1, claim: CLAIM, publicKey: device.publicKey, ...IDS });

    const certificate = bytes("c".repeat(360));
    const leaf = bytes("l".repeat(360));
    const answer = createEnrolledMaker(nodeCrypto)(
      registrar,
      device,
      {
        request: opened.hash.slice(0, MESSAGE_HASH_LENGTH) as Bytes,
        certificate,
        time: 1_800_000_000,
        settings: { issuedNotBefore: { cloud: 253_402_300_799, registrar: 0, provisioner: 0 } },
      },
      leaf,
    );
    const by = toHex(registrar.publicKey);
    expect(await espruino.evaluate(call("openEnrolled", toHex(answer.message), by))).toEqual([
      leaf,
      toHex(opened.hash).slice(0, 32),
      certificate,
      1_800_000_000,
      253_402_300_799,
    ]);
    const notBy = toHex(provisioner.publicKey);
    expect(await espruino.evaluate(call("openEnrolled", toHex(answer.message), notBy))).toBe("kid");

    const command: Command = {
      counter: 9_007_199_254_740_991,
      issued: 1_800_000_000,
      expires: 1_800_003_600,
      ...IDS,
      action: ACTION_UPDATE,
      update: {
        wifi: ["a", "b"].map((each) => ({
          ssid: bytes(each.repeat(31)),
          password: bytes(each.repeat(63)),
        })),
      },
    };
    const make = createCommandMaker(nodeCrypto);
    const update = make.sealed(provisioner, device, command, leaf);
    const signer = toHex(provisioner.publicKey);
    const networks = command.update?.wifi?.map(({ ssid, password }) => [ssid, password]);
    const read = async (message: Bytes) =>
      espruino.evaluate(call("openCommand", toHex(message), signer));
    expect(await read(update.message)).toEqual([
      1,
      toHex(update.hash),
      command.counter,
      ACTION_UPDATE,
      "shed-3",
      "ann",
      networks,
    ]);
    const bare: Command = {
      counter: command.counter,
      issued: command.issued,
      expires: command.expires,
      ...IDS,
      action: ACTION_REQUEST,
    };
    for (const [form, { message, hash }] of [
      [2, make.signed(provisioner, device.thumbprint, bare, leaf)],
      [3, make.plain(bare)],
    ] as const)
      expect(await read(message)).toEqual([
        form,
        toHex(hash),
        bare.counter,
        ACTION_REQUEST,
        "shed-3",
        "ann",
        [],
      ]);
    const cut = update.message.slice(0, -1) as Bytes;
    expect(await read(cut)).toBe("cbor");

    const replied = call("reply", toHex(update.hash), STATUS_STALE, command.counter);
    const reply = fromHex((await espruino.evaluate(replied)) as string) as Bytes;
    expect(createReplyOpener(nodeCrypto)(parseSign1(reply), device, cloud)).toEqual({
      counter: 2,
      command: update.hash,
      status: STATUS_STALE,
      detail: command.counter,
    });
    const after = await espruino.evaluate("process.memory().usage");
    const peak = (await espruino.evaluate("peakUsage()")) as number;
    console.log(
      `in Espruino: ${before} variables with the codecs, ${after} after, ${peak} at most`,
    );
    expect(peak - (before as number)).toBeLessThanOrEqual(MOST_VARIABLES);
    expect(espruino.lines.filter((line) => /Uncaught|New interpreter error/.test(line))).toEqual(
      [],
    );
  });
});
