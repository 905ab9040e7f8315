/**
 * The worked example's keys and a device's module that draws nothing at random: what
 * a real one draws is given here. Test keys, known to everyone: of no use for anything else.
 */
import { createCipheriv, createECDH, createHash } from "node:crypto";
import { type Bytes, toBigEndian } from "../../protocol/bytes.ts";
import {
  type KeyHandle,
  type SessionCrypto,
  USAGE_CARRIED,
  USAGE_DERIVE,
  USAGE_ENCRYPT,
  USAGE_ENCRYPT_SEQUENCE,
} from "../../protocol/cose/crypto.ts";
import { NONCE_LENGTH, nonceOf } from "../../protocol/cose/encrypt0.ts";
import { fromBinary, toBinary } from "./cbor-oracle.ts";
import { hkdfOracle } from "./cose-builder.ts";
import { signDeterministic } from "./ecdsa.ts";
import { importContentKey, makeParty, nodeCrypto } from "./parties.ts";

/** 32 bytes of SHA-256 of a name: nobody chose them. */
function named(name: string): Buffer {
  return createHash("sha256").update(`coseflow test key: ${name}`).digest();
}

const nonceNamed = (name: string) => named(name).subarray(0, NONCE_LENGTH);

/** What a device draws at random for one Encrypt. */
export interface Drawn {
  ephemeralScalar: Buffer;
  contentKey: Buffer;
  contentIv: Buffer;
}

const drawnFor = (message: string): Drawn => ({
  ephemeralScalar: named(`${message}ephemeral`),
  contentKey: named(`${message}content key`).subarray(0, 16),
  contentIv: nonceNamed(`${message}content IV`),
});

export const EXAMPLE = {
  counter: 258,
  eventCounter: 259,
  enrolCounter: 260,
  replyCounter: 261,
  deviceScalar: named("device"),
  cloudScalar: named("cloud"),
  registrarScalar: named("registrar"),
  provisionerScalar: named("provisioner"),
  sessionKey: named("session key").subarray(0, 16),
  baseIv: nonceNamed("Base IV"),
  session: drawnFor(""),
  event: drawnFor("event "),
  enrol: drawnFor("enrol "),
  enrolled: drawnFor("enrolled "),
  command: drawnFor("command "),
  reply: drawnFor("reply "),
  receiptIv: nonceNamed("receipt IV"),
} as const;

export const exampleDevice = makeParty(EXAMPLE.deviceScalar);
export const exampleCloud = makeParty(EXAMPLE.cloudScalar);
export const exampleRegistrar = makeParty(EXAMPLE.registrarScalar);
export const exampleProvisioner = makeParty(EXAMPLE.provisionerScalar);

/** The x coordinate that ephemeral and recipient's key agree on. */
export function exampleSecret({ ephemeralScalar }: Drawn, publicKey: Bytes): Buffer {
  const ephemeral = createECDH("prime256v1");
  ephemeral.setPrivateKey(ephemeralScalar);
  return ephemeral.computeSecret(toBinary(publicKey));
}

function wrapExample(drawn: Drawn, publicKey: Bytes, context: Bytes): Bytes {
  const kek = hkdfOracle(exampleSecret(drawn, publicKey), context);
  const cipher = createCipheriv("id-aes128-wrap", kek, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([cipher.update(drawn.contentKey), cipher.final()]);
  const ephemeral = createECDH("prime256v1");
  ephemeral.setPrivateKey(drawn.ephemeralScalar);
  return fromBinary(Buffer.concat([ephemeral.getPublicKey(), wrapped]));
}

/**
 * Good for one sealed message, of the device or of another signer's scalar; for one session
 * message also for the readings under it.
 */
export function createExampleCrypto(
  drawn: Drawn,
  signerScalar: Buffer = EXAMPLE.deviceScalar,
): SessionCrypto {
  let sequence = 0;
  return {
    ...nodeCrypto,
    openDeviceKey: () => exampleDevice.key,
    nextDeviceCounter: () => EXAMPLE.counter,
    generateRandom: () => fromBinary(drawn.contentIv),
    generateKey(usage: number): KeyHandle {
      if ((usage & USAGE_ENCRYPT_SEQUENCE) === 0) return importContentKey(drawn.contentKey, usage);
      return importContentKey(EXAMPLE.sessionKey, USAGE_ENCRYPT | USAGE_DERIVE | USAGE_CARRIED);
    },
    exportBaseIv: () => fromBinary(EXAMPLE.baseIv),
    keyAgreementWrap: (publicKey, context) => wrapExample(drawn, publicKey, context),
    signMessage: (_key, message) => fromBinary(signDeterministic(signerScalar, toBinary(message))),
    reserveSequence: () => ++sequence,
    aeadEncryptSequence(key, number, aad, plaintext) {
      const nonce = nonceOf(fromBinary(EXAMPLE.baseIv), toBigEndian(number));
      return nodeCrypto.aeadEncrypt(key, nonce, aad, plaintext);
    },
  };
}
