/** A folder where a file should be: the system does not say which, the message does. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryDirectory } from "../../support/built.ts";
import { run } from "./run.ts";

let folder: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  [folder, remove] = await temporaryDirectory("folder");
});
afterEach(() => remove());

it.each([
  ["inspect --file"],
  ["validate"],
  [
    "init shed --like esp32-c3-supermini --sensor sht3x --wifi home --broker mqtt://b --wifi-password-file",
  ],
  ["inspect --broker mqtt://127.0.0.1:1 --password-file"],
  ["repl --port /dev/ttyACM99 --settings"],
  ["device register --name shed --key"],
  ["ca init --passphrase-file"],
])("%s is told by its name", async (command) => {
  const ran = await run(...command.split(" "), folder);
  expect(ran).toEqual({ code: 1, out: "", error: `coseflow: ${folder}: is a directory\n` });
});
