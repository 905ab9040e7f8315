/**
 * A device that takes commands, over flash that outlasts its power: the handler, its actions,
 * its trust and its replies are the firmware's own; the cloud opens what comes back.
 */

import { issueRole, issueRoot } from "../../cloud/ca/issue.ts";
import type { Board, Settings } from "../../firmware/config.ts";
import { createEventList } from "../../firmware/event-list.ts";
import { readCommandRecord } from "../../firmware/provision/command-record.ts";
import { concludeCommand } from "../../firmware/provision/conclude.ts";
import { completeErasure, endFarewell } from "../../firmware/provision/deprovision.ts";
import { readFarewell } from "../../firmware/provision/farewell.ts";
import { type CommandDevice, runCommand } from "../../firmware/provision/run-command.ts";
import {
  applyStoredSettings,
  dropTrial,
  keepTrial,
  readStoredSettings,
} from "../../firmware/provision/stored-settings.ts";
import type { Signed } from "../../firmware/signed-records.ts";
import type { Bytes } from "../../protocol/bytes.ts";
import { fromBigEndian, toHex } from "../../protocol/bytes.ts";
import type { Command } from "../../protocol/command-content.ts";
import { createCommandMaker } from "../../protocol/command-message.ts";
import type { Signed as Made } from "../../protocol/cose/sign1.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { createReplyOpener, type OpenedReply } from "../../protocol/reply-message.ts";
import type { OpenDeviceCrypto } from "../../simulator/devcrypto/stand-in.ts";
import { NO_STORAGE } from "./no-storage.ts";
import { makeParty, nodeCrypto } from "./parties.ts";
import { provisioningOf } from "./trust.ts";
import { createDeviceMemory, openMemoryCrypto } from "./world/device-memory.ts";
import { createPower, type Power, someTears } from "./world/power.ts";

export const NOW = 1_800_000_000;
export const IDS = { deviceId: "shed" as Bytes, userId: "ann" as Bytes };

const LATER = 86_400;
const day = (now: number) => now - LATER;

/** Anchor, cloud and provisioner: the same for every device of a test file. */
export async function makeAuthority() {
  const root = makeParty();
  const anchor = await issueRoot(nodeCrypto, root.key, day(NOW));
  const issuer = { certificate: anchor, key: root.key };
  const cloud = makeParty();
  const provisioner = makeParty();
  const leaf = (role: "cloud" | "provisioner" | "registrar", publicKey: Bytes, at = day(NOW)) =>
    issueRole(nodeCrypto, issuer, role, publicKey, at);
  const cloudLeaf = await leaf("cloud", cloud.publicKey);
  const provisionerLeaf = await leaf("provisioner", provisioner.publicKey);
  return { anchor: anchor.der, cloud, cloudLeaf, provisioner, provisionerLeaf, leaf };
}
export type Authority = Awaited<ReturnType<typeof makeAuthority>>;

export interface BenchOptions {
  /** The point of each boot at which the power goes. */
  plan?: number[];
  requestForm?: number;
  ids?: typeof IDS | undefined;
  network?: "wifi" | "host";
}

const BROKERS = [{ host: "old.example", port: 1883 }];

export function createCommandBench(
  base: OpenDeviceCrypto,
  authority: Authority,
  options: BenchOptions = {},
) {
  const { plan = [], requestForm = 1 } = options;
  const ids = "ids" in options ? options.ids : IDS;
  const memory = createDeviceMemory();
  const files = new Map<string, Bytes>();
  const log: string[] = [];
  const replies: OpenedReply[] = [];
  /** Every message by its counter: two under one counter would be a broken promise. */
  const messages = new Map<number, Bytes>();
  const enrols: string[] = [];
  const samples: number[] = [];
  const budget = { verifications: 1000 };
  const uncaught: unknown[] = [];
  const publicKey = base.exportPublicKey(base.openDeviceKey());
  const thumbprint = thumbprintOf(base, publicKey);
  const openReply = createReplyOpener(nodeCrypto);
  const maker = createCommandMaker(nodeCrypto);
  let boots = 0;
  let power: Power;
  let crypto: ReturnType<typeof openMemoryCrypto>;
  let events: ReturnType<typeof createEventList> | undefined;
  let isOnTrial = false;
  let device: CommandDevice | undefined;

  files.set("coseflow.json", "{}" as Bytes);

  /** As device.ts does. */
  function run(message: Bytes | undefined): void {
    if (device === undefined || events === undefined) return;
    const end = runCommand(device, message);
    if (end) concludeCommand(device, events.reply, end);
  }

  function storage() {
    return {
      read: (name: string) => files.get(name),
      write(name: string, content: Bytes) {
        const size = power.passBytes(content.length);
        files.set(name, content.substring(0, size).padEnd(content.length, "\xff") as Bytes);
        power.check();
      },
      erase(name: string) {
        power.pass();
        files.delete(name);
        power.pass();
      },
    };
  }

  function erasePorts() {
    const own = power;
    return {
      crypto,
      log: (line: string) => log.push(line),
      system: {
        storage: storage(),
        interpreter: { ...NO_STORAGE.interpreter, reboot: own.off },
      },
    };
  }

  const bench = {
    memory,
    files,
    log,
    replies,
    enrols,
    samples,
    budget,
    uncaught,
    thumbprint,
    board: undefined as unknown as Board,
    settings: undefined as unknown as Settings,
    boots: () => boots,
    points: () => power.points(),
    isOn: () => power.isOn(),
    isOnTrial: () => isOnTrial,
    device: () => device,

    /** Switches it on, and has it go on with what was left undone. */
    boot(): void {
      power = createPower({
        cutAt: plan[boots++],
        tornAt: someTears,
        cut: () => undefined,
        uncaught: (error) => uncaught.push(error),
      });
      const own = power;
      crypto = openMemoryCrypto(base, memory, own, () => 0);
      device = undefined;
      events = undefined;
      const say = (line: string) => log.push(line);
      bench.board = {
        name: "bench",
        network: options.network ?? "host",
        sensors: [{ driver: "one", periodSeconds: 60, qos: 1 }],
        queue: { readings: 4 },
      };
      const wifi = options.network === "wifi" ? [{ ssid: "old", password: "old password" }] : [];
      bench.settings = { brokers: BROKERS, wifi };
      own.run(() => {
        const farewell = readFarewell(crypto, storage());
        // As main.ts: nothing starts without settings.
        if (farewell !== undefined && files.has("coseflow.json")) completeErasure(crypto, say);
        else if (farewell !== undefined) endFarewell(erasePorts());
        if (farewell !== undefined || !files.has("coseflow.json")) return;
        const stored = readStoredSettings(crypto, say);
        isOnTrial = stored.trial !== undefined;
        applyStoredSettings(stored, bench.board, bench.settings);
        const identity = { key: crypto.openDeviceKey(), thumbprint, id: "device" };
        const recipients = [authority.cloud];
        const losses = { readings: 0, told: 0, events: 0, kept: 0 };
        const list = createEventList({ crypto, identity, recipients, log: say, losses });
        events = list;
        device = {
          crypto,
          identity,
          log: say,
          board: bench.board,
          settings: bench.settings,
          system: erasePorts().system,
          provisioning: {
            ...provisioningOf({
              anchor: toHex(authority.anchor),
              cloudCertificate: toHex(authority.cloudLeaf.der),
            }),
            buildTime: NOW,
          },
          recipients,
          mayVerify: () => budget.verifications-- > 0,
          requestForm,
          ids,
          samples: [() => samples.push(bench.board.sensors[0]?.periodSeconds as number)],
          restart: own.off,
          later: (_what, run) => run(),
          trustChanged: () => undefined,
          enrol: () =>
            enrols.push([...memory.records.keys()].includes("ask") ? "asked" : "nothing"),
        };
        if (!isOnTrial) run(undefined);
      });
    },

    /** What onMessage's timer does: false when it was refused. */
    take(message: Bytes): boolean {
      let wasTaken = true;
      const own = device;
      if (own === undefined) return false;
      power.run(() => {
        try {
          run(message);
        } catch (error) {
          power.check();
          wasTaken = false;
          log.push(`refused: ${(error as { code?: string }).code}`);
        }
      });
      return wasTaken;
    },

    /** New networks have led to a broker, or have not. */
    endTrial(works: boolean): void {
      const own = device;
      if (!isOnTrial || own === undefined) return;
      power.run(() => {
        if (works) {
          isOnTrial = false;
          keepTrial(crypto, own.log);
          run(undefined);
        } else {
          const record = readCommandRecord(crypto, own.log);
          dropTrial(crypto, own.log, record === undefined ? 0 : record.counter);
          own.restart();
        }
      });
    },

    /** The cloud takes what waits: replies, the farewell's too. */
    collect(): void {
      const read = (counter: number, message: Bytes) => {
        if ((messages.get(counter) ?? message) !== message)
          throw new Error(`counter ${counter}, expected one message, got two`);
        if (messages.has(counter)) return;
        messages.set(counter, message);
        const device = { publicKey, thumbprint };
        replies.push(openReply(parseSign1(message), device, authority.cloud));
      };
      if (!power.isOn()) return;
      const waiting: Signed[] = events?.all() ?? [];
      power.run(() => {
        for (const each of waiting) read(fromBigEndian(each.kid), each.message);
        events?.settle(waiting.map((each) => each.hash));
        const farewell = readFarewell(crypto, storage());
        if (farewell === undefined) return;
        replies.push(
          openReply(parseSign1(farewell.reply), { publicKey, thumbprint }, authority.cloud),
        );
        endFarewell(erasePorts());
      });
    },

    repliesTo: (made: Made) => replies.filter((reply) => reply.command === made.hash),

    sealed: (command: Command, leaf: Bytes | undefined = authority.provisionerLeaf.der): Made =>
      maker.sealed(authority.provisioner, { publicKey, thumbprint }, command, leaf),
    /** Without the certificate beside it. */
    bare: (command: Command): Made =>
      maker.sealed(authority.provisioner, { publicKey, thumbprint }, command, undefined),
    signed: (command: Command): Made =>
      maker.signed(authority.provisioner, thumbprint, command, authority.provisionerLeaf.der),
    plain: (command: Command): Made => maker.plain(command),
    kid: kidOf(thumbprint),
  };
  return bench;
}
export type CommandBench = ReturnType<typeof createCommandBench>;

/** A command to "shed" of "ann", for an hour from now. */
export function commandOf(action: number, changes: Partial<Command> = {}): Command {
  return {
    counter: 1_800_000_000_000,
    issued: NOW + 10,
    expires: NOW + 3600,
    action,
    ...IDS,
    ...changes,
  };
}
