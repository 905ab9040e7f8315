import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { outcomeOf } from "../../../cloud/operator/outcome.ts";
import { openSender } from "../../../cloud/operator/sender.ts";
import type { Command } from "../../../cloud/store/commands.ts";
import {
  REASON_BUSY,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_REFUSED,
} from "../../../protocol/reply-message.ts";
import { startAedes } from "../../support/brokers.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { done } from "../support/command-device.ts";
import { deliverBench } from "../support/deliver-bench.ts";
import { PREFIX, wire } from "../support/test-device.ts";

const bench = deliverBench();
const { connect, listen, send } = bench;

describe("a command that is sent", () => {
  it("is done when its reply is stored, and was stored before the device had it", async () => {
    const states: Promise<Command | undefined>[] = [];
    const { opened } = await listen((one) => {
      states.push(bench.store.findCommandByHash(bench.device.kid, one.hash));
      return done(one);
    });
    const command = await bench.parts.issue({ action: "update", update: { roll: true } });
    const sent: boolean[] = [];
    let take = () => {};
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    const onSent = (isHeard: boolean) => {
      sent.push(isHeard);
      take();
    };
    const delivered = await send(command, { onSent });
    expect(delivered).toMatchObject({ end: "replied", command: { state: "replied" } });
    expect(outcomeOf(delivered.command)).toMatchObject({ isDone: true, status: "done", words: "" });
    expect(opened[0]?.hash).toBe(command.hash);
    expect((await states[0])?.counter).toBe(command.counter);
    // A quick reply may be there before the broker's last acknowledgement.
    await taken;
    // Again, where the reply of a busy machine takes longer than that is waited for.
    expect(new Set(sent)).toEqual(new Set([true]));
  });

  it("is not done when the device refuses", async () => {
    await listen(() => ({ status: STATUS_REFUSED, detail: REASON_BUSY }));
    const { command } = await send(await bench.parts.issue());
    expect(outcomeOf(command)).toMatchObject({ isDone: false, status: "refused" });
    expect(outcomeOf(command)?.words).toMatch(/^not now/);
  });

  it("makes the tombstone where it was a delete", async () => {
    await listen(() => ({ status: STATUS_DELETED, detail: 0 }));
    const { command } = await send(await bench.parts.issue({ action: "delete" }));
    expect(outcomeOf(command)).toMatchObject({ isDone: true, status: "deleted" });
    expect(await bench.parts.known()).toMatchObject({ state: "deleted" });
  });

  it("is not done by `done` where everything was to be erased", async () => {
    await listen(done);
    const { command } = await send(await bench.parts.issue({ action: "delete" }));
    expect(outcomeOf(command)).toMatchObject({ isDone: false, status: "done" });
    expect(await bench.parts.known()).toMatchObject({ state: "deleting" });
  });
});

describe("a wait that ends without a reply", () => {
  it("leaves the command unconfirmed; what comes later is taken", async () => {
    const silent = await listen(() => undefined);
    const command = await bench.parts.issue();
    const delivered = await send(command, { timeoutMs: 300 });
    expect(delivered).toMatchObject({ end: "timeout", command: { state: "unconfirmed" } });
    await silent.close();
    await listen(done);
    expect(await send(command)).toMatchObject({ end: "replied", command: { state: "replied" } });
  });

  it("leaves it as it is when nobody wants to wait", async () => {
    await listen(() => undefined);
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const delivered = await send(await bench.parts.issue(), { stopped, onSent: () => stop() });
    expect(delivered).toMatchObject({ end: "stopped", command: { state: "sent" } });
  });

  it("says expired when its time is over, and sends nothing any more", async () => {
    const command = await bench.parts.issue({ lifeSeconds: 10 }, { now: () => 1_700_000_000 });
    const sent: boolean[] = [];
    const waiting = { timeoutMs: 300, onSent: (isHeard: boolean) => sent.push(isHeard) };
    expect(await send(command, waiting)).toMatchObject({
      end: "timeout",
      command: { state: "expired" },
    });
    expect(sent).toEqual([]);
  });

  it("is not ended by the reply to another command", async () => {
    const first = await bench.parts.issue();
    await listen(() => ({ status: STATUS_DONE, detail: 0, command: first.hash }));
    const second = await bench.parts.issue();
    const delivered = await send(second, { timeoutMs: 500 });
    expect(delivered).toMatchObject({ end: "timeout", command: { reply: undefined } });
    expect(await bench.store.findCommand(bench.device.kid, first.counter)).toMatchObject({
      state: "replied",
    });
  });
});

describe("a broker", () => {
  it("that nobody listens at is told again until the device does", async () => {
    const command = await bench.parts.issue();
    const sent: boolean[] = [];
    let came = () => {};
    const unheard = new Promise<void>((resolve) => {
      came = resolve;
    });
    // Of QoS 2 Mosquitto says nothing: it looks for subscribers after its PUBREC.
    const sender = await connect(bench.url, 1);
    const delivered = send(command, {
      sender,
      onSent: (isHeard) => {
        sent.push(isHeard);
        came();
      },
    });
    await unheard;
    await listen(done);
    expect((await delivered).end).toBe("replied");
    expect(sent[0]).toBe(false);
    expect(sent.at(-1)).toBe(true);
  });

  it("that had nobody to give it to gets it again", async () => {
    let first = () => {};
    const lost = new Promise<void>((resolve) => {
      first = resolve;
    });
    const delivered = send(await bench.parts.issue(), { onSent: () => first() });
    await lost;
    const { opened } = await listen(done);
    expect((await delivered).end).toBe("replied");
    expect(new Set(opened.map(({ hash }) => hash)).size).toBe(1);
  });

  it("that replays the reply changes nothing", async () => {
    const client = await mqtt.connectAsync(bench.url);
    bench.closeLater(() => client.endAsync(true));
    const captured: Buffer[] = [];
    client.on("message", (_topic, payload) => captured.push(payload));
    await client.subscribeAsync(bench.device.topic("reply"), { qos: 2 });
    await listen(done);
    const { command } = await send(await bench.parts.issue());
    await expect.poll(() => captured.length).toBe(1);
    await client.publishAsync(bench.device.topic("reply"), captured[0] as Buffer, { qos: 2 });
    await expect.poll(() => bench.outcomes).toEqual(["stored", "repeat"]);
    expect(await bench.store.findCommand(bench.device.kid, command.counter)).toEqual(command);
  });

  it("that holds a command back gets it again, byte for byte", async () => {
    let count = 0;
    const { messages } = await listen((one) => (++count < 3 ? undefined : done(one)));
    const command = await bench.parts.issue();
    expect((await send(command)).end).toBe("replied");
    expect(messages.slice(0, 3)).toEqual([1, 2, 3].map(() => wire(command.message)));
  });

  it("that does not answer costs nothing", async () => {
    await expect(openSender({ url: "mqtt://127.0.0.1:9" })).rejects.toThrow(
      /^broker mqtt:\/\/127.0.0.1:9: does not answer \(connection refused\)/,
    );
  });
});

describe("a broker of its own", () => {
  async function start(config: string) {
    const own = await startMosquitto({ config });
    bench.closeLater(own.close);
    return own;
  }

  /** Whoever listens to commands there. */
  async function subscribed(url: string): Promise<{ got: Promise<Buffer> }> {
    const client = await mqtt.connectAsync(url, { protocolVersion: 4 });
    bench.closeLater(() => client.endAsync(true));
    const got = new Promise<Buffer>((resolve) => {
      client.on("message", (_topic, payload) => resolve(payload));
    });
    await client.subscribeAsync(`${PREFIX}/+/command`, { qos: 2 });
    return { got };
  }

  it("that is restarted between two sends is found again", async () => {
    const own = await start("");
    const lost: string[] = [];
    const sender = await openSender({ url: own.url, onLost: (message) => lost.push(message) });
    bench.closeLater(sender.close);
    await own.restart();
    const client = await subscribed(own.url);
    const { message } = await bench.parts.issue();
    expect(await sender.send(bench.device.topic("command"), message)).toBe(true);
    expect(await client.got).toEqual(wire(message));
    expect(lost.length).toBeGreaterThan(0);
  });

  it("that speaks MQTT 3.1.1 only is spoken to so", async () => {
    const own = await startAedes();
    bench.closeLater(own.close);
    const client = await subscribed(own.url);
    const sender = await connect(own.url);
    const { message } = await bench.parts.issue();
    expect(await sender.send(bench.device.topic("command"), message)).toBe(true);
    expect(await client.got).toEqual(wire(message));
  });

  it("that wants a password gets it, and a wrong one is no secret in the error", async () => {
    const path = join(bench.temporary(), "passwords");
    execFileSync("mosquitto_passwd", ["-b", "-c", path, "ann", "correct"]);
    const own = await start(`password_file ${path}`);
    const right = await openSender({ url: own.url, username: "ann", password: "correct" });
    await right.close();
    const wrong = openSender({ url: own.url, username: "ann", password: "hunter2" });
    await expect(wrong).rejects.toThrow(/^broker mqtt:\/\/127.0.0.1:\d+: .*[Nn]ot authorized/);
    await expect(wrong).rejects.not.toThrow(/hunter2/);
  });

  it("that forbids the topic is named, and the command stays stored", async () => {
    const own = await start(`acl_file ${aclFile()}`);
    const command = await bench.parts.issue();
    const sender = await connect(own.url);
    await expect(send(command, { sender })).rejects.toThrow(/expected it to take the command/);
    expect(await bench.store.findCommand(bench.device.kid, command.counter)).toMatchObject({
      state: "issued",
    });
  });
});

/** A list that allows nobody to publish commands. */
function aclFile(): string {
  const path = join(bench.temporary(), "acl");
  writeFileSync(path, "topic read #\n", { mode: 0o600 });
  return path;
}
