import { describe, expect, it } from "vitest";
import { bytes, toHex } from "../../protocol/bytes.ts";
import { KID_LENGTH, kidOf, thumbprintOf } from "../../protocol/kid.ts";
import { fromBinary, hex } from "../support/cbor-oracle.ts";
import { thumbprintOracle } from "../support/cose-builder.ts";
import { makeParty, nodeCrypto, openDevice } from "../support/parties.ts";
import { codeOf } from "../support/refusal.ts";

describe("thumbprintOf", () => {
  it("gives the thumbprint of the example in RFC 9679 section 6", () => {
    const publicKey = hex(`04
      65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d
      1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c`);
    expect(toHex(thumbprintOf(nodeCrypto, publicKey))).toBe(
      "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec",
    );
  });

  it("is the same on the device, in the cloud and as cbor-x writes the COSE_Key", () => {
    const device = openDevice();
    for (const { publicKey } of [device, makeParty(), makeParty()]) {
      const expected = fromBinary(thumbprintOracle(publicKey));
      expect(thumbprintOf(nodeCrypto, publicKey)).toBe(expected);
      expect(thumbprintOf(device.crypto, publicKey)).toBe(expected);
    }
    device.close();
  });

  it("refuses what is no uncompressed point", () => {
    const point = makeParty().publicKey;
    const wrong = ["", point.slice(1), `${point}\0`, `\x02${point.slice(1)}`, point.slice(0, 33)];
    for (const publicKey of wrong.map(bytes))
      expect(codeOf(() => thumbprintOf(nodeCrypto, publicKey))).toBe("argument");
  });
});

describe("kidOf", () => {
  it("is the first 8 bytes of the thumbprint", () => {
    const { thumbprint } = makeParty();
    expect(kidOf(thumbprint)).toBe(thumbprint.slice(0, 8));
    expect(KID_LENGTH).toBe(8);
  });
});
