import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  choosePassphrase,
  PASSPHRASE_VARIABLE,
  readPassphrase,
} from "../../../scripts/cli/passphrase.ts";
import { temporaryDirectories } from "../../cloud/support/temporary.ts";

const temporary = temporaryDirectories();

afterEach(() => vi.unstubAllEnvs());

/** Someone who types one answer after each question, and sees `shown`. */
function someone(...answers: string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  const person = { input, output, shown: "" };
  output.on("data", (text) => {
    person.shown += text;
    const answer = String(text).endsWith(": ") ? answers.shift() : undefined;
    if (answer !== undefined) input.write(answer);
  });
  return person;
}

function file(content: string): string {
  const path = join(temporary(), "passphrase");
  writeFileSync(path, content);
  return path;
}

describe("a passphrase", () => {
  it("comes from a file without its line end, before the environment", async () => {
    vi.stubEnv(PASSPHRASE_VARIABLE, "from the environment");
    expect(await readPassphrase(file("from a file\r\n"))).toBe("from a file");
    expect(await choosePassphrase(file("two\nlines\n"), true)).toBe("two\nlines");
    expect(await readPassphrase(undefined)).toBe("from the environment");
    expect(await choosePassphrase(undefined, false)).toBe("from the environment");
  });

  it("is asked for without being shown", async () => {
    const person = someone("correct hors\x7fse\r");
    expect(await readPassphrase(undefined, person)).toBe("correct horse");
    expect(person.shown).toBe("Passphrase: \n");
  });

  it("is asked for twice when it is chosen", async () => {
    const person = someone("correct horse\r", "correct horse\r");
    expect(await choosePassphrase(undefined, true, person)).toBe("correct horse");
    expect(person.shown).toBe("Passphrase: \nThe same again: \n");
    const other = someone("correct horse\r", "correct house\r");
    await expect(choosePassphrase(undefined, true, other)).rejects.toThrow(/the same twice/);
  });

  it("is none when nobody chooses one", async () => {
    expect(await choosePassphrase(undefined, false, someone())).toBeUndefined();
  });

  it("is refused when asking is interrupted, and where there is no terminal", async () => {
    await expect(readPassphrase(undefined, someone("corr\x03"))).rejects.toThrow(/got none/);
    await expect(readPassphrase(undefined, someone("\x04"))).rejects.toThrow(/got none/);
    const nobody = { ...someone(), input: new PassThrough() };
    await expect(readPassphrase(undefined, nobody)).rejects.toThrow(/--passphrase-file/);
    await expect(choosePassphrase(undefined, true, nobody)).rejects.toThrow(/--passphrase-file/);
  });
});
