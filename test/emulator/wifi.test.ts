/**
 * Setup and Improv of the flashed bundle in Espruino, on a terminal, on a computer that plays the
 * chip. Espruino for Linux ends at byte 4: no packet that a test sends has one in it.
 */
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import {
  COMMAND_STATE,
  makePacket,
  makeTexts,
  PACKET_COMMAND,
  PACKET_STATE,
  STATE_AUTHORIZED,
} from "../../protocol/improv.ts";
import { openConsole } from "../../scripts/flash/console.ts";
import { flashBoard } from "../../scripts/flash/flash-board.ts";
import { BAUD_RATE, pause } from "../../scripts/flash/port.ts";
import { openImprov, refuseRunning } from "../../scripts/serial/improv.ts";
import { createNodePort } from "../../scripts/serial/node-port.ts";
import { createLineRunner } from "../../scripts/serial/repl.ts";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { openPty } from "../support/pty/pty.ts";
import { makeTrust } from "../support/trust.ts";
import { describeEspruino, writeFlash } from "./espruino.ts";
import { flashOptions } from "./flash-options.ts";
import { noteVariables } from "./variables.ts";

const SSID = "the-network";
const PASSWORD = "wifi-password";
const BOARD = {
  name: "unset",
  network: "wifi",
  sensors: [{ driver: "host", periodSeconds: 1, qos: 1 }],
  queue: { readings: 8 },
};

/** What of an ESP32 the bundle asks for. Espruino runs this before the bundle. */
const CHIP = `
var Serial1 = USB;
var ESP32 = {
  getWakeupCause: function () { return 0; },
  getState: function () { return { freeHeap: 100000 }; },
  reboot: function () { E.reboot(); },
};
Modules.addCached("Wifi", 'exports.connect=function(s,o,f){' +
  'setTimeout(f,10,o.password=="${PASSWORD}"?null:"NO_AP_FOUND")};' +
  'exports.scan=function(f){setTimeout(f,10,[{ssid:"far",rssi:-80,authMode:"open"},' +
  '{ssid:"${SSID}",rssi:-40,authMode:"wpa2"},{ssid:"",rssi:-30,authMode:"wpa2"}])};' +
  'exports.disconnect=function(){};exports.setIP=function(){};exports.on=function(){};' +
  'exports.getIP=function(){return{ip:"10.0.0.2"}};' +
  'exports.getStatus=function(){return{station:"connected",rssi:-60}}');
`;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function plugIn(board: { name: string }) {
  const [directory, remove] = await temporaryDirectory("emulator-wifi");
  cleanUp.push(remove);
  const { bundle } = await bundleBoard(directory, board);
  const files = {
    bundle: readFileSync(bundle),
    settings: { brokers: [{ host: "127.0.0.1", port: 9 }], ...(await makeTrust()) },
  };
  await writeFlash(directory, {
    ".boot0": CHIP,
    ".bootcde": files.bundle,
    "coseflow.json": JSON.stringify(files.settings),
  });
  const pty = await openPty({
    command: [process.env.ESPRUINO as string],
    restarts: true,
    cwd: directory,
    env: { ...process.env, ESPRUINO_STACK: "20000" },
  });
  cleanUp.push(pty.unplug);
  return { files, port: createNodePort(pty.path) };
}

/** All that comes while these bytes are sent, and for a while after. */
async function exchange(port: ReturnType<typeof createNodePort>, bytes: string): Promise<string> {
  let came = "";
  await port.open({ baudRate: BAUD_RATE });
  const reader = (port.readable as ReadableStream<Uint8Array>).getReader();
  const reading = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      came += Buffer.from(value).toString("latin1");
    }
  })();
  const writer = (port.writable as WritableStream<Uint8Array>).getWriter();
  await writer.write(Buffer.from(bytes, "latin1"));
  await pause(3000);
  writer.releaseLock();
  await reader.cancel();
  await reading;
  await port.close();
  return came;
}

const ASK = makePacket(PACKET_COMMAND, makeTexts(COMMAND_STATE, []));
const AUTHORIZED = makePacket(PACKET_STATE, String.fromCharCode(STATE_AUTHORIZED));

describeEspruino("setup in Espruino", () => {
  it("answers packets between lines of its console, joins, keeps and starts", {
    timeout: 180_000,
  }, async () => {
    const { files, port } = await plugIn(BOARD);
    const told: string[] = [];
    const console = await openConsole(port, { onLine: (line) => told.push(line) });
    const type = createLineRunner(console, (line) => told.push(line));
    expect(await console.line(/^setup: no Wi-Fi network/, 20_000)).toBeDefined();
    expect(await console.ask("status().state")).toBe("setup");
    noteVariables("setup", Number(await console.ask("process.memory().usage")));
    expect(await type("1+1")).toBe(true);
    expect(told).toContain("=2");
    expect(await console.ask("E.getConsole()")).toBe("LoopbackA");
    // What a scan is answered with: its command has the byte that ends Espruino for Linux.
    const scan = makePacket(PACKET_COMMAND, "\x04\x00");
    const typed = [...scan].map((byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
    await console.send(`\x10Serial1.inject("${typed.join("")}")\n`);
    expect(await console.line(/IMPROV.*the-network.*-40.*YES/s, 10_000)).toBeDefined();
    expect(await console.line(/IMPROV.*far.*-80.*NO/s, 10_000)).toBeDefined();
    await console.close();

    const mixed = `\x10print("one "+1)\n${ASK}\x10print("two "+2)\n${ASK.slice(0, 8)}`;
    const came = await exchange(port, mixed);
    expect(came).toContain("one 1");
    expect(came).toContain(AUTHORIZED);
    expect(came).toContain("two 2");
    expect(came).not.toMatch(/Uncaught|Ctrl-C/);

    // The console that was behind the firmware is taken back, and goes there again.
    const settings = Buffer.from(JSON.stringify({ ...files.settings, note: "another" }));
    const plan = { board: BOARD.name, chip: "linux", image: undefined, isLocked: false };
    expect(
      await flashBoard(port, { ...plan, bundle: files.bundle, settings }, flashOptions()),
    ).toEqual({
      image: "left alone",
      bundle: "unchanged",
      settings: "written",
      device: undefined,
    });

    await refuseRunning(port);
    const improv = await openImprov(port);
    expect(await improv.info()).toEqual([
      "coseflow",
      expect.any(String),
      expect.any(String),
      "unset",
    ]);
    await expect(improv.provision(SSID, "another-password")).rejects.toThrow(/got no connection/);
    await improv.provision(SSID, PASSWORD);
    await improv.close();
    expect(told.join("\n")).not.toContain("password");

    const joined = await openConsole(port);
    expect(await joined.line(/^Wi-Fi: joined the-network/, 20_000)).toBeDefined();
    expect(await joined.ask("[status().reset,status().errors]")).toEqual([2, 0]);
    await joined.close();
  });

  it("keeps a locked console locked", async () => {
    const { port } = await plugIn({ ...BOARD, console: "locked" } as never);
    // Booted by then.
    await pause(5000);
    const came = await exchange(port, `\x10print("one "+1)\n${ASK}\x10print("two "+2)\n`);
    expect(came).toContain(AUTHORIZED);
    expect(came).not.toMatch(/one 1|two 2|setup/);
    const improv = await openImprov(port);
    await improv.provision(SSID, PASSWORD);
    await improv.close();
  });
});
