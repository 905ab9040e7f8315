/**
 * A device's whole life, with the built command line on the other side: claim, boot, enrolled,
 * session, request, readings, update, health record, a renewed certificate of the cloud, delete.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CommandPolicy } from "../../firmware/provision/policy.ts";
import {
  type BoardFiles,
  type LaunchedBroker,
  type LaunchedDevice,
  type LaunchOptions,
  launchDevice,
} from "../../simulator/launch.ts";
import { CLI } from "./built.ts";
import { type ConsoleLines, createConsoleLines } from "./console-lines.ts";
import { createReceiver, type Receiver } from "./serve.ts";

export interface LifeOptions {
  directory: string;
  files: BoardFiles;
  /** How each reaches the broker. */
  broker: {
    device: (kid: string) => LaunchedBroker | Promise<LaunchedBroker>;
    cloud: string;
    operator: string;
  };
  names: { deviceId: string; userId: string };
  hostFiles?: NonNullable<LaunchOptions["hostFiles"]>;
  /** What the device takes, and the options with which a request is sent. */
  provisioning?: CommandPolicy;
  request?: string[];
  readings: number;
  /** True: its key is rolled too. Where the broker's rules go by key id the new one is unknown. */
  isRolled?: boolean;
  /** What is to be done in the end, in the opposite order. */
  cleanUp: (() => unknown)[];
}

export interface Life {
  receiver: Receiver;
  keys: string;
  claim: string;
  /** The device's key id. */
  kid: string;
  screen: ConsoleLines;
  /** What the cloud printed, a line of JSON for each record that it stored. */
  printed: ConsoleLines;
}

/** The first repeat of what has brought no answer: sooner than in the field. */
const RECEIPT_SECONDS = 10;

/** Nobody listens there. */
const NO_BROKER: LaunchedBroker = { host: "127.0.0.1", port: 9 };

/** A life that goes on, and what its operator types: the words after `coseflow`; an action to this device. */
export interface Running extends Life {
  run(...args: string[]): Promise<string>;
  provision(action: string, ...args: string[]): Promise<string>;
}

/** A first boot, on which the key is made: who writes access lists needs its id. */
async function firstKid(screen: ConsoleLines, boot: () => LaunchedDevice): Promise<string> {
  const device = boot();
  await screen.line(/, device [0-9a-f]{16}$/);
  device.powerOff();
  return /, device ([0-9a-f]{16})$/m.exec(screen.lines.join("\n"))?.[1] as string;
}

/** The cloud runs, and the device has been given power and a claim. */
export async function begin(options: Omit<LifeOptions, "readings">): Promise<Running> {
  const { directory, files, broker, names, hostFiles, provisioning, cleanUp } = options;
  const receiver = await createReceiver(directory, broker.cloud);
  const keys = join(directory, "keys");
  const printed = createConsoleLines();
  receiver.onLine = (line) => printed.take(JSON.stringify(line));
  const run = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [CLI, ...args])).stdout;
  const named = ["--user", names.userId, "--device", names.deviceId];
  await receiver.start();
  cleanUp.push(receiver.kill);
  const claim = (await run("claim", "new", ...named, "--db", receiver.database)).trim();

  const screen = createConsoleLines();
  const boot = (at: LaunchedBroker) =>
    launchDevice({
      files,
      directory: join(directory, "device"),
      settings: {
        brokers: [at],
        ...receiver.trust,
        ...names,
        ...(provisioning === undefined ? {} : { provisioning }),
        ...{ claim, receiptSeconds: RECEIPT_SECONDS },
      },
      console: screen.take,
      ...(hostFiles ? { hostFiles } : {}),
    });
  const kid = await firstKid(screen, () => boot(NO_BROKER));
  const device = boot(await broker.device(kid));
  cleanUp.push(() => device.powerOff());
  const provision = (action: string, ...args: string[]) =>
    run(
      ...["provision", action, ...named, "--broker", broker.operator],
      ...["--keys", keys, "--db", receiver.database, ...args],
    );
  return { receiver, keys, claim, kid, screen, printed, run, provision };
}

/** A renewed certificate reaches the device, which opens its next session under it. */
async function rotate({ run, keys, screen }: Running): Promise<void> {
  await run("ca", "issue", "--role", "cloud", "--dir", keys);
  const taken = await screen.line(/^new certificate of the cloud$/);
  await screen.line(/^session \d+ is receipted$/, taken);
}

/** A life from the blank board to the deleted one. */
export async function liveOnce(options: LifeOptions): Promise<Life> {
  const { readings, request = [] } = options;
  const life = await begin(options);
  const { screen, printed, provision } = life;

  const enrolled = await screen.line(/^enrolled as /);
  await screen.line(/^state: streaming$/, enrolled);
  await provision("request", ...request);
  await screen.line(/^enrolled as /, enrolled);
  await printed.line(new RegExp(`"sequence":${readings},`));
  await provision("update", ..."--period 0=1 --qos 0=1 --drop 0=oldest".split(" "));
  // The health record, once the boot has lasted a minute. A device that has just verified others
  // does not look at a certificate of the cloud: by now it will.
  await printed.line(/"kind":"event"/);
  await rotate(life);
  if (options.isRolled) {
    await provision("update", "--roll");
    await screen.line(/^new key known to the cloud: the old one is erased$/);
  }
  await provision("delete");
  await screen.line(/^device deprovisioned: nothing is left$/);
  return life;
}
