import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { Packet } from "mqtt-packet";
import { generate, parser } from "mqtt-packet";

/** `up`: from the client to the broker. */
export type Direction = "up" | "down";
/**
 * What becomes of a packet: forwarded; swallowed; or the connection is cut, before the
 * packet reaches its receiver or as soon as it has.
 */
export type Verdict = "pass" | "drop" | "cut-before" | "cut-after";

export interface MqttProxy {
  port: number;
  /** Every packet that arrived here, such as "up publish", in order. */
  seen: string[];
  /** Decides on each packet; replace it at any time. */
  judge: (direction: Direction, packet: Packet) => Verdict;
  /** False closes new connections at once. */
  open: boolean;
  /** Connections stay up and nothing passes, either way: half-open. */
  freeze(): void;
  close(): Promise<void>;
}

/** Stands between a client and a broker (MQTT 3.1.1 over TCP) and cuts where it is told to. */
export async function startMqttProxy(brokerPort: number): Promise<MqttProxy> {
  const sockets = new Set<Socket>();
  let frozen = new Set<Socket>();

  function relay(direction: Direction, from: Socket, to: Socket, cut: () => void): void {
    const reader = parser({ protocolVersion: 4 });
    let over = false;
    reader.on("packet", (packet) => {
      if (over || frozen.has(from)) return;
      proxy.seen.push(`${direction} ${packet.cmd}`);
      const verdict = proxy.judge(direction, packet);
      if (verdict === "drop") return;
      if (verdict === "pass") {
        to.write(generate(packet));
        return;
      }
      over = true;
      // end() delivers what was written before it closes; destroy() might not.
      if (verdict === "cut-after") to.end(generate(packet));
      from.destroy();
      if (verdict === "cut-before") cut();
    });
    reader.on("error", cut);
    from.on("data", (data) => reader.parse(data));
    from.on("error", cut);
    from.on("close", () => {
      sockets.delete(from);
      if (!frozen.has(from) && !over) cut();
    });
    sockets.add(from);
  }

  const server = createServer((client) => {
    if (!proxy.open) {
      client.destroy();
      return;
    }
    const broker = connect(brokerPort, "127.0.0.1");
    client.setNoDelay(true);
    broker.setNoDelay(true);
    const cut = () => {
      client.destroy();
      broker.destroy();
    };
    relay("up", client, broker, cut);
    relay("down", broker, client, cut);
  });
  const proxy: MqttProxy = {
    port: 0,
    seen: [],
    judge: () => "pass",
    open: true,
    freeze() {
      frozen = new Set(sockets);
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
