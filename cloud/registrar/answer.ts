/** The answer to a device whose key is proven: a certificate, and `enrolled` sealed to that key. */
import type { Bytes } from "../../protocol/bytes.ts";
import type { Recipient } from "../../protocol/cose/encrypt.ts";
import { MESSAGE_HASH_LENGTH } from "../../protocol/cose/sign1.ts";
import { createEnrolledMaker } from "../../protocol/enrolled-message.ts";
import { type CoseflowError, fail } from "../../protocol/errors.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { createDeviceIssuer } from "../ca/device-issuer.ts";
import { issuedNotBefore } from "../ca/issued.ts";
import type { NodeCrypto } from "../crypto/node-crypto.ts";
import type { RegistrarKeys } from "../keys/cloud-keys.ts";

export interface Answer {
  /** DER. */
  certificate: Bytes;
  /** The `enrolled` message. */
  reply: Bytes;
}

/**
 * A device with an old image is told at once which certificates of the roles are revoked, as
 * far as the message has room: two certificates nearly fill it. Best first; a command can
 * tell the rest. A provisioner can do most; a new certificate of the cloud replaces an older
 * one by itself; a registrar's is judged but once in a device's life.
 */
function settingsOf({ index }: RegistrarKeys): Update[] {
  const { issued } = index.list();
  const provisioner = issuedNotBefore(issued, "provisioner") ?? 0;
  const cloud = issuedNotBefore(issued, "cloud") ?? 0;
  const registrar = issuedNotBefore(issued, "registrar") ?? 0;
  const told = [
    { cloud, registrar, provisioner },
    { cloud, registrar: 0, provisioner },
    { cloud: 0, registrar: 0, provisioner },
  ].filter((roles) => roles.cloud + roles.registrar + roles.provisioner > 0);
  return [...told.map((roles) => ({ issuedNotBefore: roles })), {}];
}

/** What `make` makes of the first that is not too much for one message. */
function firstThatFits<T>(candidates: Update[], make: (settings: Update) => T): T {
  let refusal: unknown;
  for (const settings of candidates) {
    try {
      return make(settings);
    } catch (error) {
      if ((error as CoseflowError).code !== "size") throw error;
      refusal = error;
    }
  }
  throw refusal;
}

export function createAnswerer(crypto: NodeCrypto, keys: RegistrarKeys) {
  const { registrar, issuing, index } = keys;
  const issueFor = createDeviceIssuer(crypto, issuing, index);
  const makeEnrolled = createEnrolledMaker(crypto);

  /**
   * `hash` is the name of the message that is answered. What is answered twice, since a
   * crash came before the commit, has two certificates in the index and one that was given
   * out. Fails when a certificate of the registrar has ended or the index cannot be written.
   */
  return async function answer(
    csr: Bytes,
    device: Recipient,
    hash: Bytes,
    now: number,
  ): Promise<Answer> {
    if (now > registrar.certificate.notAfter)
      fail("certificate", "registrar, expected a valid certificate, got one that has expired");
    const { der: certificate } = await issueFor(csr, now);
    const request = hash.substring(0, MESSAGE_HASH_LENGTH) as Bytes;
    const { message } = firstThatFits(settingsOf(keys), (settings) => {
      const content = { request, certificate, time: now, settings };
      return makeEnrolled(registrar, device, content, registrar.certificate.der);
    });
    return { certificate, reply: message };
  };
}

export type Answerer = ReturnType<typeof createAnswerer>;

/** What a failure to answer is for a receiver: the device asks again, the readings go on. */
export async function tryToAnswer(
  answer: Promise<Answer>,
): Promise<Answer | { refused: "registrar-failed"; why: string }> {
  try {
    return await answer;
  } catch (error) {
    return { refused: "registrar-failed", why: (error as Error).message };
  }
}
