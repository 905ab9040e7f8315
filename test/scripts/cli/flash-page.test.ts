import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { CLI, temporaryDirectory } from "../../support/built.ts";
import { KEY_ID, PUBLIC_KEY } from "../../support/esp-rom/fake-board.ts";
import { run } from "./run.ts";

const BOARD = "esp32-c3-devkitm-1";
const SETTINGS = { anchor: "3082", cloudCertificate: "3082", brokers: [{ host: "b", port: 1 }] };

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** The command as a user runs it, as soon as it has said its address. */
async function serve() {
  const [directory, remove] = await temporaryDirectory("flash-web");
  cleanUp.push(remove);
  const settings = join(directory, "my.secrets.json");
  await writeFile(settings, JSON.stringify(SETTINGS));
  const child = spawn(process.execPath, [CLI, "flash", BOARD, "--web", "--settings", settings], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  cleanUp.push(() => void child.kill("SIGKILL"));
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  return { child, url: new URL(url) };
}

/** The status under another name of this machine than its address. */
function statusAs(host: string, url: URL, method = "GET"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("coseflow flash --web", () => {
  it("serves page, job and bundle under an address nobody guesses, until it is stopped", async () => {
    const { child, url } = await serve();
    expect(url.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/$/);
    const page = await fetch(url);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("cache-control")).toBe("no-store");
    const html = await page.text();
    expect(html).toContain('<script type="module" src="page.js">');
    expect(html + (await (await fetch(new URL("page.css", url))).text())).not.toMatch(/https?:/);

    const job = await (await fetch(new URL("job", url))).json();
    expect(job).toMatchObject({ board: BOARD, chip: "esp32-c3", settings: SETTINGS });
    expect((await (await fetch(new URL("bundle", url))).text()).length).toBeGreaterThan(10_000);
    expect(await (await fetch(new URL(`key-id/${PUBLIC_KEY}`, url))).text()).toBe(KEY_ID);

    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("answers nobody without the token, under another name, or who wants to write", async () => {
    const { url } = await serve();
    const status = async (path: string) => (await fetch(new URL(path, url))).status;
    expect(await status("/")).toBe(404);
    expect(await status("/job")).toBe(404);
    expect(await status(`/${"A".repeat(22)}/job`)).toBe(404);
    expect(await status("../package.json")).toBe(404);
    expect(await status("key-id/04ab")).toBe(404);
    expect(await statusAs(url.host, url)).toBe(200);
    expect(await statusAs(url.host, url, "POST")).toBe(404);
    expect(await statusAs(`localhost:${url.port}`, url)).toBe(404);
    expect(await statusAs("rebound.example", url)).toBe(404);
  });

  it("refuses what the page asks for itself, and files that are wrong", async () => {
    const both = await run("flash", "--web", "--image", "x.tgz", "--dry-run");
    expect(both.code).toBe(2);
    expect(both.error).toContain("without --image and --dry-run");
    const missing = await run("flash", "no-such-board", "--web", "--json");
    expect(missing.code).toBe(1);
    expect(JSON.parse(missing.out)).toMatchObject({ kind: "failed", step: "files" });
  });
});
