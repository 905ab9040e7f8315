import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { parser } from "mqtt-packet";

/** Stands between a client and a broker, changes nothing and notes every packet. */
export interface Tap {
  url: string;
  /** Packets in order, such as "up pubrec"; a test may add lines of its own. */
  seen: string[];
  /** Cuts every connection that is up. */
  cut(): void;
  close(): Promise<void>;
}

export async function startTap(brokerPort: number, protocolVersion: 4 | 5): Promise<Tap> {
  const sockets = new Set<Socket>();
  const seen: string[] = [];

  function relay(direction: "up" | "down", from: Socket, to: Socket): void {
    const reader = parser({ protocolVersion });
    reader.on("packet", ({ cmd }) => seen.push(`${direction} ${cmd}`));
    from.on("data", (data) => {
      reader.parse(data);
      to.write(data);
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    sockets.add(from);
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
  }

  const server = createServer((client) => {
    const broker = connect(brokerPort, "127.0.0.1");
    relay("up", client, broker);
    relay("down", broker, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    cut,
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
