import { loadDevcrypto } from "../../simulator/devcrypto/load.ts";
import { type Check, ok, warn } from "./check.ts";

/** Whether the C module loads into this Node. `addon` is where its build puts it. */
export function devcryptoCheck(addon: string): Check {
  return {
    name: "c module",
    async run() {
      const { kind, reason } = loadDevcrypto(addon);
      if (kind === "native") return [ok("the C module on mbedTLS loads")];
      return [
        warn(
          `the C module does not load: ${reason}`,
          "simulated devices keep their keys in JavaScript's memory, by node:crypto",
          "make -C native",
        ),
      ];
    },
  };
}
