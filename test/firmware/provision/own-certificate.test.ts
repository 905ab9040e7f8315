/** What a device sees of its own certificate. Run in Espruino too, whose searches differ. */
import { beforeAll, describe, expect, it } from "vitest";
import { issueDevice } from "../../../cloud/ca/issue.ts";
import { checkOwnCertificate } from "../../../firmware/provision/own-certificate.ts";
import { type Bytes, chars } from "../../../protocol/bytes.ts";
import { makeRoot, makeUnder, NOW } from "../../cloud/support/authority.ts";
import { ecRequest } from "../../cloud/support/requests.ts";
import { nodeCrypto } from "../../support/parties.ts";
import { codeOf } from "../../support/refusal.ts";

/** Algorithm and curve, then the head of the bit string that holds the point. */
const SPKI_HEAD = 26;
/** Tag, and a length of two bytes behind their count. */
const HEADER = 4;

/** The key that the certificate is made out to, and the bytes that say so in it. */
let publicKey: Bytes;
let certificate: Bytes;
let named: Bytes;
let otherKey: Bytes;

beforeAll(async () => {
  const issuing = await makeUnder(await makeRoot(), "issuing");
  const request = ecRequest();
  publicKey = request.publicKey;
  certificate = (await issueDevice(nodeCrypto, issuing, request.der, NOW)).der;
  const at = certificate.indexOf(publicKey);
  named = certificate.slice(at - SPKI_HEAD, at + publicKey.length) as Bytes;
  otherKey = ecRequest().publicKey;
});

const refusal = (der: string, key = publicKey) =>
  codeOf(() => checkOwnCertificate(der as Bytes, key));

/** One DER item with this content. */
function item(content: string): Bytes {
  const { length } = content;
  return `\x30\x82${chars(length >> 8)}${chars(length & 0xff)}${content}` as Bytes;
}

describe("a device's own certificate", () => {
  it("is taken when it is made out to its key", () => {
    expect(refusal(certificate)).toBe("none");
    expect(refusal(item(certificate.slice(HEADER)))).toBe("none");
  });

  it("is refused when it is made out to another", () => {
    expect(refusal(certificate, otherKey)).toBe("certificate");
  });

  it.each([1, SPKI_HEAD, SPKI_HEAD + 1, 60, 90])(
    "is refused when it ends in %d bytes of what would name its key",
    (count) => {
      const ofAnother = certificate.slice(HEADER).replace(publicKey, () => otherKey);
      expect(refusal(item(ofAnother + named.slice(0, count)))).toBe("certificate");
      expect(refusal(item(ofAnother + named))).toBe("none");
    },
  );

  it("is refused when it ends in the beginning of its role", () => {
    const usage = "\x06\x03\x55\x1d\x25\x01\x01\xff";
    const content = certificate.slice(HEADER, certificate.indexOf(usage));
    for (let count = 0; count <= usage.length; count++)
      expect(refusal(item(content + usage.slice(0, count)))).toBe("certificate");
  });

  it("is refused when it is more or less than one item", () => {
    for (const wrong of ["", "\x30", certificate.slice(0, -1), `${certificate}\0`])
      expect(refusal(wrong)).toBe("certificate");
    expect(refusal(`\x31${certificate.slice(1)}`)).toBe("certificate");
  });
});
