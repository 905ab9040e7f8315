import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { generate } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Fault, type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

const ONE = generate({ cmd: "puback", messageId: 1 });
const TWO = generate({ cmd: "puback", messageId: 2 });
const THREE = generate({ cmd: "puback", messageId: 3 });
const flippedTwo = Buffer.from(TWO);
flippedTwo[3] = (flippedTwo[3] as number) ^ 8;

/** What arrives of the three when this happens to the second; "" when nothing ends it. */
const CASES: [Omit<Fault, "direction" | "packet">, Buffer[], boolean][] = [
  [{ kind: "cut-before" }, [ONE], true],
  [{ kind: "cut-after" }, [ONE, TWO], true],
  [{ kind: "drop" }, [ONE, THREE], false],
  [{ kind: "duplicate" }, [ONE, TWO, TWO, THREE], false],
  [{ kind: "swap" }, [ONE, THREE, TWO], false],
  [{ kind: "hold" }, [ONE, TWO, THREE], false],
  [{ kind: "truncate", at: 0 }, [ONE], true],
  [{ kind: "truncate", at: 3 }, [ONE, TWO.subarray(0, 3)], true],
  [{ kind: "flip", at: 3 }, [ONE, flippedTwo, THREE], false],
];

describe.each(["up", "down"] as const)("a fault on the way %s", (direction) => {
  let server: Server;
  let far: Promise<Socket>;
  let proxy: FaultProxy;
  let client: Socket;

  beforeEach(async () => {
    server = createServer();
    far = new Promise((resolve) => server.once("connection", resolve));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    client.destroy();
    await proxy.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it.each(CASES)("%j", async (what, expected, ends) => {
    const fault: Fault = { ...what, direction, packet: 1 };
    proxy = await startFaultProxy((server.address() as AddressInfo).port, fault);
    client = connect(proxy.port, "127.0.0.1").on("error", () => {});
    const broker = (await far).on("error", () => {});
    const [from, to] = direction === "up" ? [client, broker] : [broker, client];
    const all = Buffer.concat(expected);
    const arrived = new Promise<Buffer>((resolve) => {
      let got = Buffer.alloc(0);
      to.on("data", (data) => {
        got = Buffer.concat([got, data]);
        if (!ends && got.length >= all.length) resolve(got);
      });
      to.on("close", () => resolve(got));
    });
    from.write(ONE);
    // In pieces, as TCP may cut them; where the first of them is lost in a cut, so is the rest.
    from.write(TWO.subarray(0, 2));
    from.write(Buffer.concat([TWO.subarray(2), THREE]));
    const got = await arrived;
    // A cut may outrun what was written right before it.
    if (what.kind === "cut-before" || what.at === 0) expect(all.indexOf(got)).toBe(0);
    else expect(got).toEqual(all);
    expect(proxy.isInjected()).toBe(true);
    expect(proxy.seen[0]).toEqual({ direction, cmd: "puback", length: 4 });
  });
});
