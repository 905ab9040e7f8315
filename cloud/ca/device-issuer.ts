import type { Bytes } from "../../protocol/bytes.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import type { Certificate } from "./certificate.ts";
import { type Issuer, issueDevice } from "./issue.ts";
import type { IssuedIndex } from "./issued.ts";

/** Issues certificates from devices' requests, each in the index before it is given out. */
export function createDeviceIssuer(crypto: NodeCrypto, issuing: Issuer, index: IssuedIndex) {
  /** Fails as readRequest does. `now` in Unix seconds. */
  return async function issueFor(request: Bytes, now: number): Promise<Certificate> {
    const certificate = await issueDevice(crypto, issuing, request, now);
    index.add(certificate);
    return certificate;
  };
}
