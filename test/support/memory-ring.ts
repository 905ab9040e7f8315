import { fromBuffer, toBuffer } from "../../cloud/crypto/convert.ts";
import type { DeviceRing } from "../../protocol/cose/crypto.ts";
import { fail } from "../../protocol/errors.ts";
import { blankFlash, openLog } from "../../simulator/devcrypto/ring-log.ts";

/** The stand-in's ring over flash that is memory; every write fails while `broken`. */
export function createMemoryRing(image = blankFlash()) {
  const state = { broken: false };
  const log = openLog(image, () => {
    if (state.broken) fail("store", "flash, expected to take a write, got a test that says no");
  });
  const ring: DeviceRing = {
    ringAppend: (entry) => log.append(toBuffer(entry, "entry")),
    ringPeek(index) {
      const entry = log.peek(index);
      return entry && fromBuffer(entry);
    },
    ringDrop: (count) => log.drop(count),
    ringCount: () => log.count(),
  };
  return { ...ring, image, state };
}
