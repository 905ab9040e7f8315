import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { repositoryRoot } from "../../simulator/repository.ts";
import { writeNewBoard } from "../board/new-board.ts";
import { brokerSettings } from "./broker-settings.ts";
import type { Output } from "./output.ts";
import { parseBoard, parseDeviceBroker } from "./parse.ts";
import { askHidden, processTerminal } from "./passphrase.ts";
import { readPassword } from "./password.ts";

type NewSensor = { driver: string; periodSeconds: number; qos: 0 | 1 };

const DEFAULT_PERIOD_SECONDS = 10;

/** "sht3x" or "sht3x:60", several times. The board file's own check judges them. */
function parseSensor(text: string, before: NewSensor[] = []): NewSensor[] {
  const [, driver, period] = /^([a-z][a-z0-9-]*)(?::(\d+))?$/.exec(text) ?? [];
  if (driver === undefined) throw new InvalidArgumentError("expected a driver, such as sht3x:60.");
  const periodSeconds = Number(period ?? DEFAULT_PERIOD_SECONDS);
  return [...before, { driver, periodSeconds, qos: 1 }];
}

/** One visible line, or what is usual for an empty one. */
function askLine(question: string, usual: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve, reject) => {
    lines.once("close", () => reject(new Error("answer, expected one, got the end of the input")));
    lines.question(`${question}${usual ? ` [${usual}]` : ""}: `, (answer) => {
      resolve(answer.trim() || usual);
      lines.close();
    });
  });
}

/** A given value, or an asked one; at no terminal it says which option is missing. */
async function need(given: string | undefined, option: string, question: string, usual = "") {
  if (given !== undefined) return given;
  if (!process.stdin.isTTY) throw new Error(`${option}, expected it, got no terminal to ask at`);
  return askLine(question, usual);
}

/** Of its own file, never of the environment: what stands there is for other keys. */
async function readWifiPassword(file: string | undefined): Promise<string> {
  if (file !== undefined) return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  if (!process.stdin.isTTY)
    throw new Error("--wifi-password-file, expected it, got no terminal to ask at");
  return askHidden("Password of the Wi-Fi network: ", processTerminal());
}

export function addInitCommand(program: Command, output: Output): void {
  program
    .command("init")
    .description("write a board file for a sensor of yours, and a secrets file beside it")
    .argument("[name]", "name of the new board", parseBoard)
    .option("--like <board>", "ready board in boards/ that it is", parseBoard)
    .option("--sensor <driver[:seconds]>", "sensor and its period, several times", parseSensor)
    .option("--wifi <ssid>", "name of the Wi-Fi network")
    .option("--wifi-password-file <file>", "file with its password (asked for where not given)")
    .option("--broker <url>", "mqtt://host:port or mqtts", parseDeviceBroker)
    .option("--username <name>", "user name at the broker")
    .option("--password-file <file>", "file with the password at the broker")
    .option("--directory <directory>", "where to write", join(repositoryRoot(), "boards"))
    .addHelpText(
      "after",
      `
What is not given is asked for, at a terminal. Nothing is written over. The secrets file is
ignored by git.

Examples:
  $ coseflow init
  $ coseflow init greenhouse --like esp32-c3-supermini --sensor sht3x:60 \\
      --wifi home --wifi-password-file wifi.txt --broker mqtt://broker.example`,
    )
    .action(async (givenName, options) => {
      const name = parseBoard(await need(givenName, "name", "Name of the new board"));
      const likeName = parseBoard(
        await need(options.like, "--like", "Which ready board is it", "esp32-c3-devkitm-1"),
      );
      const like = readFileSync(join(repositoryRoot(), "boards", `${likeName}.json`), "utf8");
      const board = JSON.parse(like) as { network: string; sensors: NewSensor[] };
      const usual = board.sensors.map((sensor) => `${sensor.driver}:${sensor.periodSeconds}`);
      const sensors =
        options.sensor ??
        (process.stdin.isTTY
          ? (await askLine("Sensors", usual.join(" ")))
              .split(/[\s,]+/)
              .reduce<NewSensor[]>((before, text) => parseSensor(text, before), [])
          : board.sensors);
      const url = parseDeviceBroker(
        await need(options.broker, "--broker", "Broker", "mqtt://localhost"),
      );
      const password = readPassword(options.passwordFile);
      const wifi =
        board.network === "wifi"
          ? {
              ssid: await need(options.wifi, "--wifi", "Name of the Wi-Fi network"),
              password: await readWifiPassword(options.wifiPasswordFile),
            }
          : undefined;
      const broker = {
        ...brokerSettings(url),
        ...(options.username === undefined ? {} : { username: options.username }),
        ...(password === undefined ? {} : { password }),
      };
      const plan = { name, like, sensors, broker, ...(wifi === undefined ? {} : { wifi }) };
      for (const file of writeNewBoard(options.directory, plan)) output.out(`${file}\n`);
    });
}
