import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";
import { startMosquitto } from "./mosquitto.ts";

export interface TestBroker {
  url: string;
  host: string;
  port: number;
  close(): Promise<void>;
}

/** aedes in this process: MQTT 3.1.1 only. */
export async function startAedes(): Promise<TestBroker> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    host: "127.0.0.1",
    port,
    async close() {
      await new Promise<void>((closed) => aedes.close(closed));
      server.close();
    },
  };
}

/** The two brokers that system tests run on, with the MQTT version the receiver speaks to each. */
export const BROKERS: [name: string, start: () => Promise<TestBroker>, version: string][] = [
  ["Mosquitto", startMosquitto, "5"],
  ["aedes", startAedes, "3.1.1"],
];
