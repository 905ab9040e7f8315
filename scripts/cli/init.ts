import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { repositoryRoot } from "../../simulator/repository.ts";
import { DRIVERS } from "../board/drivers.ts";
import { formatFaults, nearestName } from "../board/fault.ts";
import { type NewSensor, writeNewBoard } from "../board/new-board.ts";
import { readText } from "../board/read-file.ts";
import { isObject } from "../board/shape.ts";
import { readSource } from "../board/source.ts";
import { obtain } from "./ask.ts";
import { brokerSettings } from "./broker-settings.ts";
import { EXIT_CODES } from "./exit.ts";
import type { Output } from "./output.ts";
import { parseBoard, parseDeviceBroker } from "./parse.ts";
import { askHidden, processTerminal, type Terminal } from "./passphrase.ts";
import { readPassword } from "./password.ts";

const DEFAULT_PERIOD_SECONDS = 10;

export interface InitOptions {
  like?: string | undefined;
  sensor?: NewSensor[] | undefined;
  wifi?: string | undefined;
  wifiPasswordFile?: string | undefined;
  broker?: string | undefined;
  username?: string | undefined;
  passwordFile?: string | undefined;
  directory: string;
}

/** "sht3x", "sht3x:60" or "ds18b20:60:D4", several times. The board file's own check judges the whole. */
export function parseSensor(text: string, before: NewSensor[] = []): NewSensor[] {
  const [, driver, period, pin] = /^([a-z0-9-]+)(?::(\d+))?(?::(D\d+))?$/.exec(text) ?? [];
  const names = DRIVERS.map(({ name }) => `${name}`);
  if (driver === undefined || !names.includes(driver)) {
    const nearest = nearestName(driver ?? text, names);
    const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
    throw new InvalidArgumentError(
      `expected one of ${names.join(", ")}, as sht3x:60 or ds18b20:60:D4.${hint}`,
    );
  }
  const periodSeconds = Number(period ?? DEFAULT_PERIOD_SECONDS);
  return [...before, { driver, periodSeconds, qos: 1, ...(pin === undefined ? {} : { pin }) }];
}

/** The text of a ready board. Whether it holds is judged with the new one that is made of it. */
export function readReady(name: string, directory = join(repositoryRoot(), "boards")): string {
  const file = join(directory, `${name}.json`);
  if (!existsSync(file))
    throw new Error(`ready board, expected the name of a file in boards/, got ${name}`);
  const text = readText(file);
  const { value, faults } = readSource(text);
  if (faults.length > 0) throw new Error(formatFaults(file, faults).join("; "));
  if (!isObject(value) || !Array.isArray(value.sensors) || !value.sensors.every(isObject))
    throw new Error(`${file}, expected a board file, got something else: coseflow validate`);
  return text;
}

const parseName = (text: string): string => {
  if (text === "") throw new InvalidArgumentError("expected a name.");
  return text;
};

/** Of its own file, never of the environment: what stands there is for other keys. */
async function readWifiPassword(file: string | undefined, terminal: Terminal): Promise<string> {
  if (file !== undefined) return readText(file).replace(/\r?\n$/, "");
  if (!terminal.input.isTTY)
    throw new Error("--wifi-password-file, expected it, got no terminal to ask at");
  return askHidden("Password of the Wi-Fi network: ", terminal, "password");
}

async function chooseSensors(
  given: NewSensor[] | undefined,
  ready: NewSensor[],
  terminal: Terminal,
): Promise<NewSensor[]> {
  if (given === undefined && !terminal.input.isTTY) return ready;
  const usual = ready.map(({ driver, periodSeconds }) => `${driver}:${periodSeconds}`).join(" ");
  return obtain(
    {
      given,
      option: "--sensor",
      question: "Sensors, each as driver:seconds or driver:seconds:pin",
      usual,
      parse: (text) =>
        text === usual
          ? ready
          : text.split(/[\s,]+/).reduce<NewSensor[]>((all, one) => parseSensor(one, all), []),
    },
    terminal,
  );
}

/** Asks for what the options leave open, then writes both files; gives their names. */
export async function init(
  givenName: string | undefined,
  options: InitOptions,
  terminal: Terminal,
): Promise<string[]> {
  const name = await obtain(
    { given: givenName, option: "name", question: "Name of the new board", parse: parseBoard },
    terminal,
  );
  const like = await obtain(
    {
      given: options.like === undefined ? undefined : readReady(options.like),
      option: "--like",
      question: "Which ready board is it",
      usual: "esp32-c3-devkitm-1",
      parse: (text) => readReady(parseBoard(text)),
    },
    terminal,
  );
  const ready = JSON.parse(like) as { network: string; sensors: NewSensor[] };
  const sensors = await chooseSensors(options.sensor, ready.sensors, terminal);
  const hasWifi = ready.network === "wifi";
  const ssid = hasWifi
    ? await obtain(
        {
          given: options.wifi,
          option: "--wifi",
          question: "Name of the Wi-Fi network",
          parse: parseName,
        },
        terminal,
      )
    : undefined;
  const wifi =
    ssid === undefined
      ? {}
      : { wifi: { ssid, password: await readWifiPassword(options.wifiPasswordFile, terminal) } };
  const url = await obtain(
    {
      given: options.broker,
      option: "--broker",
      question: "Broker",
      usual: "mqtt://localhost",
      parse: parseDeviceBroker,
    },
    terminal,
  );
  const password = readPassword(options.passwordFile);
  const broker = {
    ...brokerSettings(url),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(password === undefined ? {} : { password }),
  };
  return writeNewBoard(options.directory, { name, like, sensors, broker, ...wifi });
}

export function addInitCommand(program: Command, output: Output): void {
  program
    .command("init")
    .description("write a board file for a sensor of yours, and a secrets file beside it")
    .argument("[name]", "name of the new board", parseBoard)
    .option("--like <board>", "ready board in boards/ that it is", parseBoard)
    .option("--sensor <driver[:seconds[:pin]]>", "sensor, several times", parseSensor)
    .option("--wifi <ssid>", "name of the Wi-Fi network")
    .option("--wifi-password-file <file>", "file with its password (asked for where not given)")
    .option("--broker <url>", "mqtt://host:port or mqtts", parseDeviceBroker)
    .option("--username <name>", "user name at the broker")
    .option("--password-file <file>", "file with the password at the broker")
    .option("--json", "one line of JSON for each file that is written")
    .option("--directory <directory>", "where to write", join(repositoryRoot(), "boards"))
    .addHelpText(
      "after",
      `
What is not given is asked for, at a terminal. Nothing is written over. The secrets file is
ignored by git, and readable for its owner only.

${EXIT_CODES}

Examples:
  $ coseflow init
  $ coseflow init greenhouse --like esp32-c3-supermini --sensor sht3x:60 --sensor ds18b20:60:D4 \\
      --wifi home --wifi-password-file wifi.txt --broker mqtt://broker.example`,
    )
    .action(async (name, options) => {
      for (const file of await init(name, options, processTerminal())) {
        output.out(options.json ? `${JSON.stringify({ file })}\n` : `${file}\n`);
      }
    });
}
