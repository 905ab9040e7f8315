/** Puts a command's parts together for one call; nothing of them stays. */
import type { Bytes } from "../../protocol/bytes.ts";
import type { Command } from "../../protocol/command-content.ts";
import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { Recipient } from "../../protocol/cose/encrypt.ts";
import { kidOf } from "../../protocol/kid.ts";
import { PROVISIONER } from "../../protocol/roles.ts";
import type { Board, Provisioning, Settings } from "../config.ts";
import type { Delivery } from "../delivery.ts";
import type { Log, System } from "../ports.ts";
import type { Identity } from "../session.ts";
import { openTrust } from "../trust.ts";
import { createActions } from "./actions.ts";
import { writeAsked } from "./asked-record.ts";
import { createCommandHandler, type Outcome } from "./command.ts";
import { eraseDevice } from "./deprovision.ts";
import { continueRoll, createRollStart, noteRequest, type RollDelivery } from "./roll.ts";

export interface CommandDevice {
  crypto: DeviceCrypto;
  identity: Identity;
  log: Log;
  board: Board;
  settings: Settings;
  system: Pick<System, "storage" | "interpreter">;
  /** Read before this is made: two parts that are cold at once are too many. */
  provisioning: Provisioning;
  recipients: Recipient[];
  mayVerify: () => boolean;
  requestForm: number;
  /** Who the device is; undefined for one that was registered by hand. */
  ids: { deviceId: Bytes; userId: Bytes } | undefined;
  samples: (() => void)[];
  restart: () => void;
  /** The cloud's certificate may be another from now on. */
  trustChanged: () => void;
  /** Goes on with the command, later. */
  resume: () => void;
  /** There is something to enrol for (asked-record.ts), or the key changes (roll-record.ts). */
  enrol: () => void;
}

/**
 * Takes a command; without one it goes on with what an earlier call or boot left undone. With
 * `isRoll` the same for a key roll (roll.ts). True when the board has to restart at once.
 */
export function runCommand(
  device: CommandDevice,
  delivery: RollDelivery & Pick<Delivery, "reply">,
  message: Bytes | undefined,
  isRoll: boolean | undefined,
): boolean {
  if (isRoll) return continueRoll(device, delivery, message);
  const crypto = device.crypto;
  const log = device.log;
  const trust = openTrust(crypto, device.provisioning, log);

  /** Made when a command is carried out, and not before: opening one needs the room. */
  function act(command: Command, form: number): Outcome | undefined {
    const roll = createRollStart(crypto, log, device.identity);
    const carryOut = createActions({
      crypto: crypto,
      log: log,
      board: device.board,
      settings: device.settings,
      hasIds: device.ids !== undefined,
      updateTrust(update) {
        trust.apply(update);
        if (!update.cloudCertificate && !update.issuedNotBefore) return;
        // At once: the reply is sealed to it. The rest waits until nothing of this is held.
        trust.putCloud(device.recipients);
        device.trustChanged();
      },
      enrol(deviceId, userId, claim) {
        writeAsked(crypto, { deviceId: deviceId, userId: userId, claim: claim });
        device.enrol();
      },
      sample: (sensor) => (device.samples[sensor] as () => void)(),
      restart: device.restart,
      keyId: device.identity.id,
      mayRoll: roll.isFree,
      roll(rolled) {
        // In a call of its own: beside the message there is no room for the key's request.
        if (message !== undefined) {
          device.resume();
          return undefined;
        }
        const outcome = roll.begin(rolled);
        device.enrol();
        return outcome;
      },
    });
    return carryOut(command, form);
  }

  const handler = createCommandHandler({
    crypto: crypto,
    identity: device.identity,
    log: log,
    trust: {
      provisioner: (leaf) => trust.signer(PROVISIONER, leaf),
      floor: () => trust.floor,
      accepted(time, leaf) {
        if (leaf !== undefined) trust.keep(PROVISIONER, leaf);
        trust.advance(time, true);
      },
      recipients: () => device.recipients,
    },
    requestForm: device.requestForm,
    mayVerify: device.mayVerify,
    ids: device.ids,
    act: act,
    rolled: (hash) => noteRequest(crypto, log, hash),
    reply: delivery.reply,
    erase(reply) {
      eraseDevice(device, { kid: kidOf(device.identity.thumbprint), reply: reply });
    },
  });

  if (message === undefined) handler.resume();
  else handler.handle(message);
  return false;
}
