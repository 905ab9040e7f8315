/** A proxy before a broker that changes nothing and keeps every byte, both ways. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Who is on the other side of the broker. */
export type Party = "device" | "cloud" | "operator";

/** One connection; `up` is what the party sent. */
export interface Recording {
  party: Party;
  up: Buffer[];
  down: Buffer[];
}

export interface Recorder {
  port: number;
  recordings: Recording[];
  close(): Promise<void>;
}

export async function startRecorder(party: Party, brokerPort: number): Promise<Recorder> {
  const recordings: Recording[] = [];
  const sockets = new Set<Socket>();

  function relay(from: Socket, to: Socket, kept: Buffer[]): void {
    sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (data) => {
      kept.push(data);
      to.write(data);
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.end();
    });
  }

  const server = createServer((client) => {
    const recording: Recording = { party, up: [], down: [] };
    recordings.push(recording);
    const broker = connect(brokerPort, "127.0.0.1");
    relay(client, broker, recording.up);
    relay(broker, client, recording.down);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    recordings,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
