/** The worked example of the provisioning messages in SPEC.md, as spec-example.ts makes the others. */
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { ACTION_REQUEST, ACTION_UPDATE, type Command } from "../../protocol/command-content.ts";
import { createCommandMaker } from "../../protocol/command-message.ts";
import { MESSAGE_HASH_LENGTH, type Signed } from "../../protocol/cose/sign1.ts";
import { createEnrolMaker } from "../../protocol/enrol-message.ts";
import { createEnrolledMaker } from "../../protocol/enrolled-message.ts";
import { createReplyMaker, STATUS_DONE } from "../../protocol/reply-message.ts";
import { diagnose, hexLines } from "../../scripts/inspect/diagnostic.ts";
import { derSignature, makeCsr } from "./csr.ts";
import { signDeterministic } from "./ecdsa.ts";
import {
  createExampleCrypto,
  EXAMPLE,
  exampleCloud,
  exampleDevice,
  exampleProvisioner,
  exampleRegistrar,
} from "./example-crypto.ts";
import { block, messageText, partyRows, row, sealedText } from "./spec-example.ts";

/** Five bytes of DER each in the place of a certificate. */
const DEVICE_CERTIFICATE = bytes("\x30\x03\x02\x01\x07");
const PROVISIONER_LEAF = bytes("\x30\x03\x02\x01\x08");

const IDS = { deviceId: bytes("shed-3"), userId: bytes("ann") };
const CLAIM = bytes("coseflow-claim-1");
const TIME = 1_800_000_000;

const UPDATE: Command = {
  counter: 1_800_000_060_000,
  issued: TIME + 60,
  expires: TIME + 3660,
  action: ACTION_UPDATE,
  ...IDS,
  update: {
    sensors: [{ sensor: 0, periodSeconds: 60, qos: 1, drop: "oldest" }],
    wifi: [{ ssid: bytes("shed"), password: bytes("correct horse battery") }],
  },
};
const REQUEST: Command = {
  counter: 1_800_000_120_000,
  issued: TIME + 120,
  expires: TIME + 3720,
  action: ACTION_REQUEST,
  ...IDS,
};

export interface ProvisioningExample {
  enrol: Signed;
  enrolled: Signed;
  update: Signed;
  reply: Signed;
  signed: Signed;
  plain: Signed;
}

function exampleCsr(): Bytes {
  return makeCsr(exampleDevice, (info) =>
    derSignature(signDeterministic(EXAMPLE.deviceScalar, info)),
  );
}

export function makeProvisioningExample(): ProvisioningExample {
  const { provisionerScalar, registrarScalar } = EXAMPLE;
  const enrolment = { csr: exampleCsr(), ...IDS, claim: CLAIM };
  const enrol = createEnrolMaker(createExampleCrypto(EXAMPLE.enrol))(
    exampleDevice,
    [exampleCloud],
    EXAMPLE.enrolCounter,
    enrolment,
  );
  const request = enrol.hash.slice(0, MESSAGE_HASH_LENGTH) as Bytes;
  const enrolled = createEnrolledMaker(createExampleCrypto(EXAMPLE.enrolled, registrarScalar))(
    exampleRegistrar,
    exampleDevice,
    { request, certificate: DEVICE_CERTIFICATE, time: TIME, settings: {} },
    undefined,
  );
  const make = createCommandMaker(createExampleCrypto(EXAMPLE.command, provisionerScalar));
  const update = make.sealed(exampleProvisioner, exampleDevice, UPDATE, PROVISIONER_LEAF);
  const reply = createReplyMaker(createExampleCrypto(EXAMPLE.reply))(
    exampleDevice,
    [exampleCloud],
    EXAMPLE.replyCounter,
    { command: update.hash, status: STATUS_DONE, detail: 0 },
  );
  const { thumbprint } = exampleDevice;
  const signed = make.signed(exampleProvisioner, thumbprint, REQUEST, undefined);
  return { enrol, enrolled, update, reply, signed, plain: make.plain(REQUEST) };
}

function keysText(): string {
  const drawn = (["enrol", "enrolled", "command", "reply"] as const).flatMap((name) => [
    row(`${name} ephemeral private key (test key)`, EXAMPLE[name].ephemeralScalar),
    row(`${name} content key (test key)`, EXAMPLE[name].contentKey),
    row(`IV of the ${name} content`, EXAMPLE[name].contentIv),
  ]);
  return block(
    ...partyRows("registrar", exampleRegistrar, EXAMPLE.registrarScalar),
    ...partyRows("provisioner", exampleProvisioner, EXAMPLE.provisionerScalar),
    ...drawn,
  );
}

function openFormsText({ signed, plain }: ProvisioningExample): string[] {
  return [
    "### Command, a request in its open forms",
    "",
    `Signed, ${signed.message.length} bytes:`,
    "",
    ...messageText(signed.message),
    "",
    `Plain, ${plain.message.length} bytes:`,
    "",
    block(diagnose(plain.message)),
    "",
    block(
      ...hexLines(plain.message),
      row("SHA-256 of the signed one's Sig_structure", signed.hash),
      row("SHA-256 of the plain one", plain.hash),
    ),
  ];
}

export function provisioningText(): string {
  const example = makeProvisioningExample();
  const [device, cloud] = [exampleDevice, exampleCloud];
  return [
    "### Keys of provisioning",
    "",
    keysText(),
    "",
    ...sealedText({
      messageClass: "enrol",
      title: "Enrol",
      plaintextTitle: "The plaintext: device counter, CSR, device id, user id and claim",
      drawn: EXAMPLE.enrol,
      sender: device,
      recipient: cloud,
      made: example.enrol,
    }),
    "",
    ...sealedText({
      messageClass: "enrolled",
      title: "Enrolled",
      plaintextTitle: "The plaintext: request, certificate, time and settings",
      drawn: EXAMPLE.enrolled,
      sender: exampleRegistrar,
      recipient: device,
      made: example.enrolled,
    }),
    "",
    ...sealedText({
      messageClass: "command",
      title: "Command, a sealed update",
      plaintextTitle:
        "The plaintext: counter, issue, expiry, action, device id, user id, parameters; padding",
      drawn: EXAMPLE.command,
      sender: exampleProvisioner,
      recipient: device,
      made: example.update,
    }),
    "",
    ...openFormsText(example),
    "",
    ...sealedText({
      messageClass: "reply",
      title: "Reply",
      plaintextTitle: "The plaintext: device counter, command hash, status, detail; padding",
      drawn: EXAMPLE.reply,
      sender: device,
      recipient: cloud,
      made: example.reply,
    }),
  ].join("\n");
}

/** Opened again by a test. */
export const PROVISIONING_EXAMPLE = {
  csr: exampleCsr(),
  ids: IDS,
  claim: CLAIM,
  time: TIME,
  certificate: DEVICE_CERTIFICATE,
  leaf: PROVISIONER_LEAF,
  update: UPDATE,
  request: REQUEST,
} as const;
