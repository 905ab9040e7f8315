import { readFileSync } from "node:fs";
import { it } from "vitest";
import { bundleBoard, temporaryDirectory } from "../support/built.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { createReceiver } from "../support/serve.ts";
import { boot, describeEspruino, writeFlash } from "./espruino.ts";

const BOARD = {
  name: "emulated",
  network: "host",
  sensors: [{ driver: "host", periodSeconds: 2, qos: 1 }],
  queue: { readings: 16, flash: 512, spillSeconds: 1 },
};
describeEspruino("mem", () => {
  it("measures", { timeout: 100_000 }, async () => {
    const [directory] = await temporaryDirectory("emulator");
    const broker = await startMosquitto();
    const receiver = await createReceiver(directory, broker.url);
    const { bundle } = await bundleBoard(directory, BOARD);
    const code = readFileSync(bundle, "utf8");
    const names = [...code.matchAll(/function\s+(\w+)\(\)\s*\{\s*const\s+\w+\s*=\s*\{\};/g)].map(
      (m) => m[1],
    );
    console.log(names, code.length);
    await writeFlash(directory, {
      ".bootcde": code,
      "coseflow.json": JSON.stringify({
        brokers: [{ host: broker.host, port: broker.port }],
        ...receiver.trust,
      }),
    });
    const device = boot(directory);
    const [, digits] = await device.line(/--key ([0-9a-f]{130})/);
    await receiver.command("device", "register", "--key", digits as string, "--name", "emulated");
    await receiver.start();
    await device.line(/state: streaming/);
    for (const name of names)
      console.log(
        name,
        await device.evaluate(
          `(function(){var b=process.memory().usage;var x=${name}();return [b,process.memory().usage-b]})()`,
        ),
      );
    console.log(await device.evaluate("process.memory()"));
    await device.powerOff();
    await receiver.kill();
    await broker.close();
  });
});
