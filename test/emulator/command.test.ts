/**
 * Commands in Espruino itself, with the C module, over a real broker: what they cost in
 * variables at their worst moment, that nothing of it stays, and the end by `delete`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { fromBuffer } from "../../cloud/crypto/convert.ts";
import { createNodeCrypto } from "../../cloud/crypto/node-crypto.ts";
import { loadKeys, loadProvisionerKey } from "../../cloud/keys/cloud-keys.ts";
import { type Bytes, fromHex, toHex } from "../../protocol/bytes.ts";
import { ACTION_DELETE, ACTION_UPDATE, type Command } from "../../protocol/command-content.ts";
import { createCommandMaker } from "../../protocol/command-message.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import {
  createReplyOpener,
  type OpenedReply,
  STATUS_DELETED,
  STATUS_DONE,
} from "../../protocol/reply-message.ts";
import { LIMIT_VARIABLES } from "../../scripts/build/size.mjs";
import { describeEspruino } from "./espruino.ts";
import { faultsOf, powerOn, register, unpack } from "./unpack.ts";
import { leastUsage, noteVariables, watchPeak, watchUsage } from "./variables.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 2, qos: 1 }],
  queue: { readings: 32, flash: 512, spillSeconds: 600 },
};
/** At the worst moment of a command so many stay free. */
const LEAST_FREE = 600;
const ALL = 4095;
/** Looks at the variables, a second apart. */
const LOOKS = 12;
/** What the console remembers of a question, and counters that take a byte more. */
const FEW = 24;

/** At each step of cryptography that a command takes its code and data are all there. */
const STEPS = ["verifyCertificate", "verifyMessage", "aeadDecrypt", "signMessage"];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

describeEspruino("commands in Espruino", () => {
  it("updates, keeps no more than before, and ends by delete", { timeout: 240_000 }, async () => {
    const unpacked = await unpack(cleanUp, BOARD);
    const { directory, broker, receiver } = unpacked;
    const [device, digits] = await register(cleanUp, unpacked);
    const publicKey = fromHex(digits) as Bytes;
    await receiver.start();
    cleanUp.push(receiver.kill);

    const crypto = createNodeCrypto();
    const provisioner = loadProvisionerKey(crypto, join(directory, "keys"));
    const cloud = loadKeys(crypto, join(directory, "keys"));
    const thumbprint = thumbprintOf(crypto, publicKey);
    const topic = `cf/1/${toHex(kidOf(thumbprint))}`;
    const openReply = createReplyOpener(crypto);
    const operator = await connectAsync(broker.url);
    cleanUp.push(() => operator.endAsync(true));
    const replies: OpenedReply[] = [];
    let arrived = () => {};
    operator.on("message", (_topic, payload) => {
      replies.push(openReply(parseSign1(fromBuffer(payload)), { publicKey, thumbprint }, cloud));
      arrived();
    });
    await operator.subscribeAsync(`${topic}/reply`, { qos: 2 });
    let counter = Date.now();

    async function send(changes: Partial<Command>): Promise<number> {
      const issued = Math.floor(Date.now() / 1000);
      const command: Command = {
        counter: counter++,
        issued,
        expires: issued + 3600,
        action: ACTION_UPDATE,
        deviceId: "shed" as Bytes,
        userId: "ann" as Bytes,
        ...changes,
      };
      const maker = createCommandMaker(crypto);
      const recipient = { publicKey, thumbprint };
      const made = maker.sealed(provisioner, recipient, command, provisioner.certificate.der);
      const reply = () => replies.find((each) => each.command === made.hash);
      const answered = new Promise<void>((resolve) => {
        arrived = () => reply() && resolve();
      });
      await operator.publishAsync(`${topic}/command`, Buffer.from(made.message, "latin1"), {
        qos: 2,
      });
      await answered;
      return reply()?.status ?? 0;
    }

    await device.line(/state: streaming/);
    await watchUsage(device);
    const before = await leastUsage(device, LOOKS);
    const askPeak = await watchPeak(device, STEPS);
    const watched = await leastUsage(device, LOOKS);
    const sensors = (periodSeconds: number) => ({
      update: {
        sensors: [{ sensor: 0, periodSeconds, qos: 1 as const, drop: "oldest" as const }],
      },
    });
    expect(await send(sensors(1))).toBe(STATUS_DONE);
    const quiet = askPeak();
    // Without the cloud's receipts all that is measured waits, until the first has to leave memory.
    await receiver.kill();
    await device.line(/^usage \d+ [1-9]/);
    expect(await send(sensors(3))).toBe(STATUS_DONE);
    const peak = askPeak();
    await receiver.start();
    const after = await leastUsage(device, LOOKS);
    console.log(
      `in Espruino: ${before} variables streaming, ${quiet - before} more while a command is at hand, ${peak - before} with a full queue, ${after - watched} after it`,
    );
    noteVariables("command", peak);
    expect(before).toBeLessThanOrEqual(LIMIT_VARIABLES);
    expect(after - watched).toBeLessThanOrEqual(FEW);
    expect(ALL - peak).toBeGreaterThanOrEqual(LEAST_FREE);

    const deleted = send({ action: ACTION_DELETE });
    await device.line(/^deleted by command/);
    // A board restarts here; on Linux the interpreter says that it cannot.
    await device.line(/^Not implemented/);
    await device.powerOff();
    const last = powerOn(cleanUp, unpacked);
    expect(await deleted).toBe(STATUS_DELETED);
    await last.line(/^device deprovisioned/);
    const left = readdirSync(join(directory, "espruino.devcrypto"));
    expect(left.filter((name) => name.startsWith("device") || name.startsWith("next"))).toEqual([]);
    expect(faultsOf(device)).toEqual([]);
  });
});
