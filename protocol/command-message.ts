/**
 * The command in its three forms: Sign1 by the provisioner(Encrypt(content)), and for a
 * `request` alone also Sign1(content), which all can read, or the content as it is, which
 * anybody can make. The first bytes tell them apart. SPEC.md shows every byte.
 */
import type { Bytes } from "./bytes.ts";
import {
  COMMAND_START,
  type Command,
  createCommandReader,
  FORM_PLAIN,
  FORM_SEALED,
  FORM_SIGNED,
  writeCommand,
} from "./command-content.ts";
import type { CoseCrypto, KeyHandle } from "./cose/crypto.ts";
import type { Recipient } from "./cose/encrypt.ts";
import { hashSign1, type Sign1, type Signed } from "./cose/sign1.ts";
import { createStructures } from "./cose/structures.ts";
import { createDownwardOpener, type Signer, sealDownward, signDownward } from "./downward.ts";
import { fail } from "./errors.ts";
import { DOWNWARD_LIMIT } from "./topics.ts";

/**
 * The provisioner's part: a function for each form. Nothing is signed that a device would
 * refuse. The bytes are kept and sent again, never made again.
 */
export function createCommandMaker(crypto: CoseCrypto) {
  const readCommand = createCommandReader();

  function write(command: Command, form: number): Bytes {
    const content = writeCommand(command, form);
    readCommand(content, form);
    return content;
  }

  function sealed(
    provisioner: Signer,
    device: Recipient,
    command: Command,
    leaf: Bytes | undefined,
  ): Signed {
    const content = write(command, FORM_SEALED);
    return sealDownward(crypto, "command", provisioner, device, content, leaf);
  }

  function signed(
    provisioner: Signer,
    deviceThumbprint: Bytes,
    command: Command,
    leaf: Bytes | undefined,
  ): Signed {
    const content = write(command, FORM_SIGNED);
    return signDownward(crypto, "command", provisioner, deviceThumbprint, content, leaf);
  }

  /** Its hash is the message's own. */
  function plain(command: Command): Signed {
    const content = write(command, FORM_PLAIN);
    return { message: content, hash: crypto.hashCompute(content) };
  }

  return { sealed: sealed, signed: signed, plain: plain };
}

/** A command taken apart, nothing verified yet. */
export interface ParsedCommand {
  /** FORM_* */
  form: number;
  /** The provisioner's certificate, where it rode along; still to be checked. */
  leaf: Bytes | undefined;
  /** undefined for a plain one. */
  sign1: Sign1 | undefined;
  message: Bytes;
}

export interface OpenedCommand {
  command: Command;
  /** What it was read from, padding included: the device keeps it until it has obeyed. */
  content: Bytes;
  /** SHA-256 of the Sig_structure, of a plain one of the message: names it in the reply. */
  hash: Bytes;
}

/** The device's part: `parse`, judge the form by the policy, check the leaf, then `open`. */
export function createCommandOpener(crypto: CoseCrypto) {
  const downward = createDownwardOpener(crypto, "command");
  const readCommand = createCommandReader();

  function parse(message: Bytes): ParsedCommand {
    if (message.length > DOWNWARD_LIMIT)
      fail("size", "command, expected at most " + DOWNWARD_LIMIT + ", got " + message.length);
    if (message.charAt(0) === COMMAND_START)
      return { form: FORM_PLAIN, leaf: undefined, sign1: undefined, message: message };
    const sign1 = downward.parse(message);
    const form = sign1.payload.charAt(0) === COMMAND_START ? FORM_SIGNED : FORM_SEALED;
    return { form: form, leaf: sign1.leaf, sign1: sign1, message: message };
  }

  /**
   * Verifies first, sealed or signed: nothing of the payload is looked at before the
   * signature is the provisioner's. A plain command takes no key and proves nothing.
   */
  function open(
    parsed: ParsedCommand,
    device: { key: KeyHandle; thumbprint: Bytes },
    provisionerPublicKey: Bytes | undefined,
  ): OpenedCommand {
    const sign1 = parsed.sign1;
    if (sign1 === undefined) {
      const hash = crypto.hashCompute(parsed.message);
      return {
        command: readCommand(parsed.message, FORM_PLAIN),
        content: parsed.message,
        hash: hash,
      };
    }
    if (provisionerPublicKey === undefined)
      return fail("argument", "provisioner, expected the public key of the signer, got none");
    const provisioner = downward.verify(sign1, device.thumbprint, provisionerPublicKey);
    const content =
      parsed.form === FORM_SIGNED
        ? sign1.payload
        : downward.decrypt(sign1.payload, device, provisioner);
    const aad = createStructures().externalAad("command", device.thumbprint);
    const hash = hashSign1(crypto, sign1, aad);
    return { command: readCommand(content, parsed.form), content: content, hash: hash };
  }

  return { parse: parse, open: open };
}
