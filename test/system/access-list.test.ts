/** The access list of README lets a device live its whole life, and nobody listen in on it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { afterEach, expect, it } from "vitest";
import { boardFiles } from "../../simulator/launch.ts";
import { temporaryDirectory } from "../support/built.ts";
import { blocks, readDocument, section } from "../support/documents.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { liveOnce } from "../support/whole-life.ts";

const SECTION = "The broker's rules";
const READINGS = 5;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** What README says, with the places of this test. */
function readRules(directory: string): { config: string; passwords: string } {
  const text = section(readDocument("README.md"), SECTION);
  const [acl, passwords] = [join(directory, "acl"), join(directory, "passwords")];
  writeFileSync(acl, blocks(text, "acl").join(""), { mode: 0o600 });
  writeFileSync(passwords, "", { mode: 0o600 });
  const lines = blocks(text, "conf").join("").split("\n");
  const files = lines
    .filter((line) => line.endsWith("_file passwords") || line.endsWith("_file acl"))
    .map((line) => line.replace(/passwords$/, passwords).replace(/acl$/, acl));
  expect(files).toHaveLength(2);
  expect(lines).toContain("allow_anonymous false");
  return { config: files.join("\n"), passwords };
}

it("is enough for a whole life, and shows others the cloud's certificate alone", {
  timeout: 240_000,
}, async () => {
  const [directory, remove] = await temporaryDirectory("access");
  cleanUp.push(remove);
  const { config, passwords } = readRules(directory);
  const broker = await startMosquitto({ config, isAnonymous: false });
  cleanUp.push(broker.close);

  /** A user with a password of the same text, known from now on. */
  async function admit(name: string): Promise<{ username: string; password: string }> {
    execFileSync("mosquitto_passwd", ["-b", passwords, name, name], { stdio: "ignore" });
    await broker.reload();
    return { username: name, password: name };
  }
  const urlOf = (name: string) => `mqtt://${name}:${name}@${broker.host}:${broker.port}`;
  for (const name of ["cloud", "operator", "0011223344556677"]) await admit(name);

  const seen: string[] = [];
  const other = await mqtt.connectAsync(urlOf("0011223344556677"));
  cleanUp.push(() => other.endAsync(true));
  other.on("message", (topic) => seen.push(topic));
  await other.subscribeAsync("#", { qos: 2 });

  const { kid, printed } = await liveOnce({
    ...{ directory, cleanUp, files: boardFiles("linux") },
    broker: {
      device: async (name) => ({ host: broker.host, port: broker.port, ...(await admit(name)) }),
      cloud: urlOf("cloud"),
      operator: urlOf("operator"),
    },
    names: { deviceId: "shed", userId: "ann" },
    readings: READINGS,
  });
  expect(kid).toMatch(/^[0-9a-f]{16}$/);
  expect(printed.lines.length).toBeGreaterThanOrEqual(READINGS);
  expect([...new Set(seen)]).toEqual(["cf/1/cloud"]);
});
