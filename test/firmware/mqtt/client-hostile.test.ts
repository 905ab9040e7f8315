import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMqttDevice } from "../../support/mqtt-device.ts";

const CONNACK = "\x20\x02\x00\x00";
const publish = (packetId: number, qos: number) =>
  String.fromCharCode(0x30 | (qos << 1), 6, 0, 1, 0x74, packetId >> 8, packetId & 255, 0x78);

describe("client against a hostile server", () => {
  let server: ReturnType<typeof createServer>;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const scripts: [string, string, string][] = [
    ["garbage", "protocol", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["a 256 MiB packet", "protocol", `${CONNACK}\x30\xff\xff\xff\x7f`],
    ["a message above the bound", "protocol", `${CONNACK}\x30\xd0\x0f`],
    ["a message before connack", "protocol", publish(1, 2)],
    ["two connacks", "protocol", CONNACK + CONNACK],
    ["packet id 0", "protocol", CONNACK + publish(0, 1)],
    ["a suback for nothing", "protocol", `${CONNACK}\x90\x03\x00\x01\x00`],
    ["a subscribe of its own", "protocol", `${CONNACK}\x82\x06\x00\x01\x00\x01t\x00`],
    [
      "a QoS 1 message under the id of a QoS 2 one",
      "protocol",
      CONNACK + publish(7, 2) + publish(7, 1),
    ],
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
      else socket.write(connections === 1 ? script : CONNACK, "latin1");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const device = createMqttDevice((server.address() as AddressInfo).port);
    device.client.connect();
    await device.until(() => device.reasons.length > 0);
    expect(device.reasons[0]).toBe(reason);
    const before = device.sessions.length;
    if (script !== "") await device.until(() => device.sessions.length > before);
    device.client.close();
  });
});
