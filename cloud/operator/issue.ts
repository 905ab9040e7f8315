/** Makes a command and stores it, audited and in the journal, before anybody sends it. */
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import {
  ACTION_DELETE,
  ACTION_REQUEST,
  ACTION_UPDATE,
  type Command as CommandContent,
} from "../../protocol/command-content.ts";
import { createCommandMaker } from "../../protocol/command-message.ts";
import type { CoseCrypto } from "../../protocol/cose/crypto.ts";
import { type CoseflowError, fail } from "../../protocol/errors.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { checkId } from "../claims.ts";
import type { Credential } from "../keys/credentials.ts";
import type { Command, CommandAction, CommandForm, MadeCommand } from "../store/commands.ts";
import type { KnownDevice, Store } from "../store/store.ts";
import { hasLeaf } from "./known-leaf.ts";

export interface Order {
  device: KnownDevice;
  userId: string;
  action: CommandAction;
  form: CommandForm;
  /** Seconds after which the device does not obey any more. */
  lifeSeconds: number;
  /** Of a sealed request. */
  claim?: Bytes | undefined;
  /** Of an update. */
  update?: Update | undefined;
}

export interface IssueContext {
  crypto: CoseCrypto;
  store: Store;
  /** Undefined where nothing is signed: a plain request. */
  provisioner: Credential | undefined;
  /** Unix seconds. */
  now: () => number;
}

const ACTION_NUMBERS: Readonly<Record<CommandAction, number>> = {
  request: ACTION_REQUEST,
  update: ACTION_UPDATE,
  delete: ACTION_DELETE,
};

const REFUSALS = {
  "device-unknown": "a registered one, got one that nobody knows",
  "device-deleted": "one that is not deleted, got one that is, or that is told to be",
  "device-revoked": "one that is not revoked, got one that is",
} as const;

const utf8 = (text: string) => Buffer.from(text, "utf8").toString("latin1") as Bytes;

/**
 * What a device is called in commands. One that was registered by hand, without a device
 * id, goes by its key id.
 */
export function commandDeviceId({ deviceId, kid }: KnownDevice): string {
  return deviceId ?? toHex(kid);
}

/** Only a sealed request may name another user: it is how a device changes hands. */
function checkUser({ device, userId, action, form }: Order): void {
  checkId("user id", userId);
  if (device.userId === undefined || device.userId === userId) return;
  const why = action === "request" ? `: a ${form} request names nobody else, a sealed one may` : "";
  if (action !== "request" || form !== "sealed")
    fail("argument", `user id, expected that of device ${toHex(device.kid)}, got another${why}`);
}

function checkClaim({ claim, form }: Order): void {
  if (claim !== undefined && form !== "sealed")
    fail(
      "profile",
      `claim, expected the policy to seal "request", got ${form}: others would read it`,
    );
}

const isTooLong = (error: unknown) => (error as CoseflowError).code === "size";

/**
 * With the provisioner's certificate beside it, so that the device needs none. Where that
 * makes it too long, as beside a certificate to hand over, it goes without: only to a
 * device that has it already, since any other would not answer.
 */
function withLeaf(
  make: (leaf: Bytes | undefined) => MadeCommand,
  leaf: Bytes,
  isLeafKnown: boolean,
): MadeCommand {
  try {
    return make(leaf);
  } catch (error) {
    if (!isTooLong(error)) throw error;
  }
  try {
    const bare = make(undefined);
    if (isLeafKnown) return bare;
  } catch (error) {
    if (!isTooLong(error)) throw error;
    return fail("size", `${(error as Error).message}: spread it over several commands`);
  }
  return fail(
    "size",
    "command, expected room for the provisioner's certificate, which the device has not " +
      "shown to have yet, got none: send a shorter one first, such as a request",
  );
}

function makerOf({ crypto, provisioner }: IssueContext, order: Order, isLeafKnown: boolean) {
  const maker = createCommandMaker(crypto);
  const { device, form } = order;
  return (content: CommandContent): MadeCommand => {
    if (form === "plain") return maker.plain(content);
    if (provisioner === undefined)
      return fail("argument", `provisioner, expected a key for a ${form} command, got none`);
    const leaf = provisioner.certificate.der;
    if (form === "signed") return maker.signed(provisioner, device.thumbprint, content, leaf);
    const seal = (beside: Bytes | undefined) => maker.sealed(provisioner, device, content, beside);
    return withLeaf(seal, leaf, isLeafKnown);
  };
}

async function isLeafKnown({ store, provisioner }: IssueContext, { device }: Order) {
  if (provisioner === undefined) return false;
  return hasLeaf(store, device.kid, provisioner.certificate.der);
}

/** Stores a new command to the device; what it throws leaves nothing behind. */
export async function issueCommand(context: IssueContext, order: Order): Promise<Command> {
  checkUser(order);
  checkClaim(order);
  const { device, userId, action, form, claim, update } = order;
  const issuedAt = context.now();
  const expiresAt = issuedAt + order.lifeSeconds;
  const make = makerOf(context, order, await isLeafKnown(context, order));
  const command = await context.store.issueCommand(
    { device: device.kid, action, form, userId, issuedAt, expiresAt },
    (counter) =>
      make({
        ...{ counter, issued: issuedAt, expires: expiresAt, action: ACTION_NUMBERS[action] },
        ...{ deviceId: utf8(commandDeviceId(device)), userId: utf8(userId) },
        ...(claim === undefined ? {} : { claim }),
        ...(update === undefined ? {} : { update }),
      }),
  );
  if (typeof command === "string")
    return fail("argument", `device ${toHex(device.kid)}, expected ${REFUSALS[command]}`);
  return command;
}
