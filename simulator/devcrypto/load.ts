import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { repositoryRoot } from "../repository.ts";
import type { SleepMemory } from "./sleep.ts";
import { type OpenDeviceCrypto, openStandIn } from "./stand-in.ts";

/** Where `make -C native` puts the C module for Node. */
const ADDON = "build/native/devcrypto.node";

export interface Devcrypto {
  /** "native" is the C module of the board; "stand-in" is node:crypto in its place. */
  kind: "native" | "stand-in";
  /** Why it is the stand-in: one line to show to the user. */
  reason?: string;
  /**
   * The module with the device key and counter of this directory (mode 700). With `memory` the
   * stand-in keeps a session over deep sleep; the C module for a computer does not.
   */
  open(directory: string, memory?: SleepMemory): OpenDeviceCrypto;
}

/** The C module if it is built and loads here, otherwise the stand-in and the reason. */
export function loadDevcrypto(addonPath = join(repositoryRoot(), ADDON)): Devcrypto {
  if (!existsSync(addonPath))
    return { kind: "stand-in", reason: `${addonPath} is not built`, open: openStandIn };
  try {
    const addon = createRequire(import.meta.url)(addonPath);
    if (typeof addon.open !== "function") throw new Error("it exports no function open");
    return { kind: "native", open: addon.open };
  } catch (error) {
    const [firstLine] = (error as Error).message.split("\n");
    return { kind: "stand-in", reason: `${addonPath}: ${firstLine}`, open: openStandIn };
  }
}
