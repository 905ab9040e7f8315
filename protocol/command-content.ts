/**
 * What a command says: [counter, issued, expires, action, device id, user id, parameters],
 * the same array in each of its forms. SPEC.md shows every byte.
 */
import type { Bytes } from "./bytes.ts";
import { cborBytes, cborInt, UNSIGNED } from "./cbor.ts";
import { createReader, type Reader } from "./cbor-reader.ts";
import { createContentParts } from "./content-parts.ts";
import { CLAIM_LENGTH } from "./enrol-message.ts";
import { fail } from "./errors.ts";
import { createUpdateReader, LAST_UPDATE, type Update } from "./update-parameters.ts";
import { writeUpdate } from "./update-writer.ts";

export const ACTION_REQUEST = 1;
export const ACTION_UPDATE = 2;
export const ACTION_DELETE = 3;

/** Sign1(Encrypt(array)): neither read nor forged by anybody else. */
export const FORM_SEALED = 1;
/** Sign1(array): read by all, forged by nobody. */
export const FORM_SIGNED = 2;
/** The array: whoever reaches the broker can make one. */
export const FORM_PLAIN = 3;

/** First byte of the array of seven, and so of a plain command and of a signed one's payload. */
export const COMMAND_START = "\x87";

/** An empty map. */
const NO_PARAMETERS = 0xa0;

export interface Command {
  /** 1 to 2^53 - 1; each command of a device has a higher one than the last. */
  counter: number;
  /** Unix seconds: when it was made, and from when on it is not obeyed. */
  issued: number;
  expires: number;
  /** ACTION_* */
  action: number;
  /** UTF-8, 1 to 64 bytes, printable; so is the user id. */
  deviceId: Bytes;
  userId: Bytes;
  /** Of a sealed request: the claim to enrol with, where there is one. */
  claim?: Bytes;
  /** Of an update. */
  update?: Update;
}

/** The array, padded where it is to be sealed; nothing in it is checked but the ids. */
export function writeCommand(command: Command, form: number): Bytes {
  const parts = createContentParts();
  const claim = command.claim;
  let parameters = "\xa0";
  if (command.update !== undefined) parameters = writeUpdate(command.update);
  else if (claim !== undefined) parameters = "\xa1\x01" + cborBytes(claim);
  const content =
    COMMAND_START +
    cborInt(command.counter) +
    cborInt(command.issued) +
    cborInt(command.expires) +
    cborInt(command.action) +
    parts.writeId(command.deviceId, "device id") +
    parts.writeId(command.userId, "user id") +
    parameters;
  return form === FORM_SEALED ? parts.pad(content) : (content as Bytes);
}

/** The device's reader, and the provisioner's look at what it is about to sign. */
export function createCommandReader() {
  const parts = createContentParts();

  /** What others can read says nothing but a bare request: no claim. */
  function readClaim(reader: Reader, form: number): Bytes | undefined {
    if (form !== FORM_SEALED || reader.peek() === NO_PARAMETERS) {
      reader.exactly("\xa0", "parameters of a request");
      return undefined;
    }
    reader.exactly("\xa1\x01", "parameters of a request");
    return reader.bytesOf(CLAIM_LENGTH);
  }

  return function readCommand(content: Bytes, form: number): Command {
    const reader = createReader(content);
    reader.exactly(COMMAND_START, "content of a command");
    const counter = reader.head(UNSIGNED);
    if (counter < 1) fail("sequence", "command counter, expected at least 1, got 0");
    const issued = parts.readTime(reader, "issue of a command");
    const expires = parts.readTime(reader, "expiry of a command");
    if (expires <= issued) fail("form", "command, expected to expire after its issue");
    const action = reader.head(UNSIGNED);
    if (action < ACTION_REQUEST || action > ACTION_DELETE)
      fail("form", "action of a command, expected 1 to 3, got " + action);
    if (form !== FORM_SEALED && action !== ACTION_REQUEST)
      fail("profile", "unsealed command, expected a request, got action " + action);
    const deviceId = parts.readId(reader, "device id");
    const userId = parts.readId(reader, "user id");
    const command: Command = {
      counter: counter,
      issued: issued,
      expires: expires,
      action: action,
      deviceId: deviceId,
      userId: userId,
    };
    if (action === ACTION_REQUEST) {
      const claim = readClaim(reader, form);
      if (claim !== undefined) command.claim = claim;
    } else if (action === ACTION_UPDATE) command.update = createUpdateReader()(reader, LAST_UPDATE);
    else reader.exactly("\xa0", "parameters of a delete");
    if (form === FORM_SEALED) parts.readPadding(reader, content);
    else reader.end();
    return command;
  };
}
