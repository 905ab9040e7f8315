/** The worked example of SPEC.md, made by protocol/ itself from the fixed keys. */
import type { Bytes } from "../../protocol/bytes.ts";
import { USAGE_DECRYPT, USAGE_ENCRYPT } from "../../protocol/cose/crypto.ts";
import {
  nonceOf,
  parseRandomIvEncrypt0,
  parseSequencedEncrypt0,
} from "../../protocol/cose/encrypt0.ts";
import { MESSAGE_HASH_LENGTH, parseSign1, type Signed } from "../../protocol/cose/sign1.ts";
import { createStructures } from "../../protocol/cose/structures.ts";
import { createEventMaker } from "../../protocol/event-message.ts";
import { createReadingSealer } from "../../protocol/reading.ts";
import { RECEIPT_KEY_INFO, type Receipt, sealReceipt } from "../../protocol/receipt.ts";
import { createSenmlMaker } from "../../protocol/senml.ts";
import { createSessionMaker } from "../../protocol/session-message.ts";
import { diagnose, diagnosePadded, hexLines } from "../../scripts/inspect/diagnostic.ts";
import { decodeOracle, encodeOracle, fromBinary, type Tag } from "./cbor-oracle.ts";
import { hkdfOracle, type SealedClass } from "./cose-builder.ts";
import {
  createExampleCrypto,
  type Drawn,
  EXAMPLE,
  exampleCloud,
  exampleDevice,
  exampleSecret,
} from "./example-crypto.ts";
import { importContentKey, nodeCrypto, type Party } from "./parties.ts";

const { encStructure, externalAad, kdfContext, sigStructure } = createStructures();

export interface Example {
  sessionMessage: Bytes;
  /** SHA-256 of its Sig_structure. */
  hash: Bytes;
  readingPayload: Bytes;
  reading: Bytes;
  eventPack: Bytes;
  event: Signed;
  receipt: Receipt;
  receiptMessage: Bytes;
}

const makeSenml = createSenmlMaker([
  { name: "temperature", unit: "Cel", exponent: -2 },
  { name: "humidity", unit: "%RH", exponent: -2 },
]);

export function makeExample(): Example {
  const crypto = createExampleCrypto(EXAMPLE.session);
  const session = createSessionMaker(crypto)(exampleDevice, [exampleCloud], EXAMPLE.counter);
  const seal = createReadingSealer(crypto, session, exampleDevice.thumbprint);
  const readingPayload = makeSenml([2150, 4200], { time: undefined, uptime: 5 }, 0);
  const reading = seal(crypto.reserveSequence(session.key), readingPayload);
  const eventPack = encodeOracle([
    new Map<number, unknown>([
      [0, "door"],
      [4, true],
      [-3, 1_800_000_000],
    ]),
  ]);
  const event = createEventMaker(createExampleCrypto(EXAMPLE.event))(
    exampleDevice,
    [exampleCloud],
    EXAMPLE.eventCounter,
    eventPack,
  );
  const nameOf = (hash: Bytes) => hash.slice(0, MESSAGE_HASH_LENGTH) as Bytes;
  const receipt: Receipt = {
    time: 1_800_000_000,
    messages: [nameOf(session.hash), nameOf(event.hash)],
    readings: [{ sessionKid: session.kid, first: 1, last: 1 }],
  };
  const receiptKey = importContentKey(receiptKeyOf(), USAGE_ENCRYPT | USAGE_DECRYPT);
  const cloudCrypto = { ...nodeCrypto, generateRandom: () => fromBinary(EXAMPLE.receiptIv) };
  const receiptMessage = sealReceipt(
    cloudCrypto,
    receiptKey,
    session.kid,
    exampleDevice.thumbprint,
    receipt,
  );
  return {
    sessionMessage: session.message,
    hash: session.hash,
    readingPayload,
    reading,
    eventPack,
    event,
    receipt,
    receiptMessage,
  };
}

export function receiptKeyOf(): Buffer {
  return hkdfOracle(EXAMPLE.sessionKey, RECEIPT_KEY_INFO);
}

/** A value below its name, in hexadecimal. */
export function row(name: string, value: Bytes | Buffer): string {
  const all = hexLines(typeof value === "string" ? value : fromBinary(value));
  return [name, ...all.map((line) => `  ${line}`)].join("\n");
}

export function block(...parts: string[]): string {
  return ["```", ...parts, "```"].join("\n");
}

export function partyRows(name: string, party: Party, scalar: Buffer): string[] {
  return [
    row(`${name} private key (test key)`, scalar),
    row(`${name} public key, x`, party.publicKey.slice(1, 33) as Bytes),
    row(`${name} public key, y`, party.publicKey.slice(33) as Bytes),
    row(`${name} thumbprint; its first 8 bytes are the kid`, party.thumbprint),
  ];
}

function keysText(): string {
  return block(
    ...partyRows("device", exampleDevice, EXAMPLE.deviceScalar),
    ...partyRows("cloud", exampleCloud, EXAMPLE.cloudScalar),
    row("ephemeral private key (test key)", EXAMPLE.session.ephemeralScalar),
    row("session key (test key)", EXAMPLE.sessionKey),
    row("Base IV of the session", EXAMPLE.baseIv),
    row("content key (test key)", EXAMPLE.session.contentKey),
    row("IV of the content", EXAMPLE.session.contentIv),
    row("event ephemeral private key (test key)", EXAMPLE.event.ephemeralScalar),
    row("event content key (test key)", EXAMPLE.event.contentKey),
    row("IV of the event's content", EXAMPLE.event.contentIv),
    row("IV of the receipt", EXAMPLE.receiptIv),
  );
}

/** Diagnostic notation, then the bytes. */
export function messageText(message: Bytes): string[] {
  return [block(diagnose(message)), "", block(...hexLines(message))];
}

/** A worked Sign1(Encrypt(plaintext)): who sealed it to whom, and what was drawn for it. */
export interface SealedExample {
  messageClass: SealedClass;
  title: string;
  plaintextTitle: string;
  drawn: Drawn;
  sender: Party;
  recipient: Party;
  made: Signed;
}

/** Taken apart as far as its keys allow. */
export function sealedText(example: SealedExample): string[] {
  const { messageClass, drawn, sender, recipient, made } = example;
  const aad = externalAad(messageClass, exampleDevice.thumbprint);
  const [, , payload] = (decodeOracle(made.message) as Tag).value as [unknown, unknown, Buffer];
  const [header, unprotected, ciphertext] = (decodeOracle(fromBinary(payload)) as Tag).value as [
    Buffer,
    Map<number, Buffer>,
    Buffer,
  ];
  const iv = fromBinary(unprotected.get(5) as Buffer);
  const context = kdfContext(messageClass, sender.thumbprint, recipient.thumbprint);
  const structure = encStructure("Encrypt", fromBinary(header), aad);
  const contentKey = importContentKey(drawn.contentKey, USAGE_DECRYPT);
  const content = nodeCrypto.aeadDecrypt(contentKey, iv, structure, fromBinary(ciphertext));
  const secret = exampleSecret(drawn, recipient.publicKey);
  return [
    `### ${example.title}`,
    "",
    `${example.plaintextTitle}:`,
    "",
    block(diagnosePadded(content)),
    "",
    "What is authenticated and not sent:",
    "",
    block(
      row("external_aad of Sign1 and Encrypt", aad),
      row("Enc_structure", structure),
      row("COSE_KDF_Context", context),
      row("ECDH shared secret", secret),
      row("key encryption key", hkdfOracle(secret, context)),
      row("SHA-256 of the Sig_structure", made.hash),
    ),
    "",
    `The message, ${made.message.length} bytes:`,
    "",
    ...messageText(made.message),
  ];
}

function readingText(example: Example): string[] {
  const parsed = parseSequencedEncrypt0(example.reading);
  const aad = externalAad("reading", exampleDevice.thumbprint);
  return [
    "### Reading",
    "",
    `The plaintext, a SenML pack of ${example.readingPayload.length} bytes:`,
    "",
    block(diagnose(example.readingPayload)),
    "",
    block(
      ...hexLines(example.readingPayload),
      row("external_aad", aad),
      row("Enc_structure", encStructure("Encrypt0", parsed.protectedHeader, aad)),
      row("nonce", nonceOf(fromBinary(EXAMPLE.baseIv), parsed.partialIv)),
    ),
    "",
    `The message, ${example.reading.length} bytes:`,
    "",
    ...messageText(example.reading),
  ];
}

function receiptText(example: Example): string[] {
  const parsed = parseRandomIvEncrypt0(example.receiptMessage);
  const aad = externalAad("receipt", exampleDevice.thumbprint);
  const structure = encStructure("Encrypt0", parsed.protectedHeader, aad);
  const key = importContentKey(receiptKeyOf(), USAGE_DECRYPT);
  const payload = nodeCrypto.aeadDecrypt(key, parsed.iv, structure, parsed.ciphertext);
  return [
    "### Receipt",
    "",
    "The plaintext:",
    "",
    block(diagnose(payload)),
    "",
    block(
      row("receipt key", receiptKeyOf()),
      row("external_aad", aad),
      row("Enc_structure", structure),
    ),
    "",
    `The message, ${example.receiptMessage.length} bytes:`,
    "",
    ...messageText(example.receiptMessage),
  ];
}

export function exampleText(): string {
  const example = makeExample();
  return [
    "### Keys and what a device would draw at random",
    "",
    keysText(),
    "",
    ...sealedText({
      messageClass: "session",
      title: "Session message",
      plaintextTitle: "The plaintext, a COSE_Key",
      drawn: EXAMPLE.session,
      sender: exampleDevice,
      recipient: exampleCloud,
      made: { message: example.sessionMessage, hash: example.hash },
    }),
    "",
    ...readingText(example),
    "",
    ...sealedText({
      messageClass: "event",
      title: "Event",
      plaintextTitle: "The plaintext, device counter and SenML pack",
      drawn: EXAMPLE.event,
      sender: exampleDevice,
      recipient: exampleCloud,
      made: example.event,
    }),
    "",
    ...receiptText(example),
  ].join("\n");
}

/** The Sig_structure that the signature of the example's message is over. */
export function exampleSigStructure(messageClass: SealedClass, message: Bytes): Bytes {
  const { protectedHeader, payload } = parseSign1(message);
  return sigStructure(
    protectedHeader,
    externalAad(messageClass, exampleDevice.thumbprint),
    payload,
  );
}
