import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMqttDevice } from "../../support/mqtt-device.ts";

const CONNACK = "\x20\x02\x00\x00";
const SUBACK = "\x90\x03\x00\x01\x01";
const publish = (packetId: number, qos: number) =>
  String.fromCharCode(0x30 | (qos << 1), 6, 0, 1, 0x74, packetId >> 8, packetId & 255, 0x78);

describe("client against a hostile server", () => {
  let server: ReturnType<typeof createServer>;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const scripts: [string, string, string][] = [
    ["garbage", "failed", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["a 256 MiB packet", "failed", `${CONNACK}\x90\xff\xff\xff\x7f`],
    ["a topic above the bound", "failed", `${CONNACK}\x32\xd0\x0f\x07\xd0`],
    ["a message before connack", "failed", publish(1, 2)],
    ["two connacks", "failed", CONNACK + CONNACK],
    ["packet id 0", "failed", CONNACK + publish(0, 1)],
    ["two subacks", "failed", CONNACK + SUBACK + SUBACK],
    ["a suback for another packet id", "failed", `${CONNACK}\x90\x03\x00\x02\x01`],
    ["a suback with one return code too many", "failed", `${CONNACK}\x90\x04\x00\x01\x01\x01`],
    ["a suback with a failure", "subscribe", `${CONNACK}\x90\x03\x00\x01\x80`],
    ["a subscribe of its own", "failed", `${CONNACK}\x82\x06\x00\x01\x00\x01t\x00`],
    ["a refusal of code 1", "refused-version", "\x20\x02\x00\x01"],
    ["a close at once", "closed", ""],
  ];
  it.each(scripts)("%s costs the connection and no more", async (_name, reason, script) => {
    let connections = 0;
    server = createServer((socket) => {
      connections += 1;
      socket.on("error", () => {}).resume();
      if (script === "") socket.destroy();
      // The second time it behaves.
      else socket.write(connections === 1 ? script : CONNACK + SUBACK, "latin1");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const device = createMqttDevice((server.address() as AddressInfo).port);
    device.client.connect();
    await device.until(() => device.reasons.length > 0);
    expect(device.reasons[0]).toBe(reason);
    const before = device.sessions.length;
    if (script !== "") await device.until(() => device.sessions.length > before);
    device.powerOff();
  });
});
