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
import { fail } from "../../protocol/errors.ts";
import type { Update } from "../../protocol/update-parameters.ts";
import { checkId } from "../claims.ts";
import type { Credential } from "../keys/credentials.ts";
import type { Command, CommandAction, CommandForm, MadeCommand } from "../store/commands.ts";
import type { KnownDevice, Store } from "../store/store.ts";

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

/** Only a request may name another user: it is how a device changes hands. */
function checkUser({ device, userId, action }: Order): void {
  checkId("user id", userId);
  if (action === "request" || device.userId === undefined || device.userId === userId) return;
  fail("argument", `user id, expected that of device ${toHex(device.kid)}, got another`);
}

function checkClaim({ claim, form }: Order): void {
  if (claim !== undefined && form !== "sealed")
    fail(
      "profile",
      `claim, expected the policy to seal "request", got ${form}: others would read it`,
    );
}

function makerOf({ crypto, provisioner }: IssueContext, order: Order) {
  const maker = createCommandMaker(crypto);
  const { device, form } = order;
  return (content: CommandContent): MadeCommand => {
    if (form === "plain") return maker.plain(content);
    if (provisioner === undefined)
      return fail("argument", `provisioner, expected a key for a ${form} command, got none`);
    const leaf = provisioner.certificate.der;
    return form === "sealed"
      ? maker.sealed(provisioner, device, content, leaf)
      : maker.signed(provisioner, device.thumbprint, content, leaf);
  };
}

/** Stores a new command to the device; what it throws leaves nothing behind. */
export async function issueCommand(context: IssueContext, order: Order): Promise<Command> {
  checkUser(order);
  checkClaim(order);
  const { device, userId, action, form, claim, update } = order;
  const issuedAt = context.now();
  const expiresAt = issuedAt + order.lifeSeconds;
  const make = makerOf(context, order);
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
