import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { repositoryRoot } from "../../simulator/repository.ts";
import type { Job } from "../web/job.ts";
import type { BoardFiles } from "./flash-plan.ts";

const HOST = "127.0.0.1";
/** As many as no other page on the machine guesses. */
const TOKEN_BYTES = 16;

/** Nothing from elsewhere, nothing to elsewhere, in nobody's frame, kept nowhere. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "permissions-policy": "serial=(self)",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

const KEY_ID = /^key-id\/(04[0-9a-f]{128})$/;

interface Answer {
  type: string;
  body: string | Uint8Array;
}

export interface FlashPage {
  url: string;
  close(): Promise<void>;
}

function toJob({ bundle: _bundle, file, ...board }: BoardFiles, baudRate: number): Job {
  return { ...board, baudRate, settings: file?.settings ?? null };
}

export interface PageContent {
  files: BoardFiles;
  baudRate: number;
  /** As bundlePage makes it. */
  script: string;
  keyIdOf(publicKey: string): string;
}

function readAnswers({ files, baudRate, script }: PageContent): Map<string, Answer> {
  const source = (name: string) =>
    readFileSync(join(repositoryRoot(), "scripts", "web", name), "utf8");
  return new Map<string, Answer>([
    ["", { type: "text/html; charset=utf-8", body: source("page.html") }],
    ["page.css", { type: "text/css; charset=utf-8", body: source("page.css") }],
    ["page.js", { type: "text/javascript; charset=utf-8", body: script }],
    ["job", { type: "application/json", body: JSON.stringify(toJob(files, baudRate)) }],
    ["bundle", { type: "application/octet-stream", body: files.bundle }],
  ]);
}

/** Serves the page to this machine, under an address that only whoever started it knows. */
export async function serveFlashPage(content: PageContent): Promise<FlashPage> {
  const answers = readAnswers(content);
  const prefix = `/${randomBytes(TOKEN_BYTES).toString("base64url")}/`;
  let host = "";

  function find({ method, url = "", headers }: IncomingMessage): Answer | undefined {
    // Another name for this machine is a page elsewhere that has had it resolved to us.
    if (method !== "GET" || headers.host !== host || !url.startsWith(prefix)) return undefined;
    const path = url.slice(prefix.length);
    const [, publicKey] = KEY_ID.exec(path) ?? [];
    if (publicKey !== undefined) return { type: "text/plain", body: content.keyIdOf(publicKey) };
    return answers.get(path);
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const answer = find(request);
    response.writeHead(answer === undefined ? 404 : 200, {
      ...HEADERS,
      "content-type": answer?.type ?? "text/plain",
    });
    response.end(answer?.body ?? "not here\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  host = `${HOST}:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
