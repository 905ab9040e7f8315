/** Puts a command's parts together for one call; nothing of them stays. */
import type { Bytes } from "../../protocol/bytes.ts";
import type { Command } from "../../protocol/command-content.ts";
import { PROVISIONER } from "../../protocol/roles.ts";
import type { Board, Provisioning, Settings } from "../config.ts";
import { openTrust } from "../trust.ts";
import { createActions } from "./actions.ts";
import { writeAsked } from "./asked-record.ts";
import { type Conclusion, createCommandHandler } from "./command.ts";
import type { ConcludePorts } from "./conclude.ts";
import { beginRoll, mayRoll } from "./roll.ts";

export interface CommandDevice extends ConcludePorts {
  board: Board;
  settings: Settings;
  /** Read before this code was made: what reads it is cold too. */
  provisioning: Provisioning;
  mayVerify: () => boolean;
  requestForm: number;
  /** Who the device is; undefined for one that was registered by hand. */
  ids: { deviceId: Bytes; userId: Bytes } | undefined;
  samples: (() => void)[];
  /** Runs it by itself, when nothing of the command is held any more. */
  later: (what: string, run: () => void) => void;
  restart: () => void;
  /** The cloud's certificate may be another from now on. */
  trustChanged: () => void;
  /** There is something to enrol for (asked-record.ts), or the key changes (roll-record.ts). */
  enrol: () => void;
}

/**
 * Takes a command; without one it goes on with what an earlier call or boot left undone. Gives
 * what is left to do when nothing of this is held any more.
 */
export function runCommand(
  device: CommandDevice,
  message: Bytes | undefined,
): Conclusion | undefined {
  const crypto = device.crypto;
  const log = device.log;
  const trust = openTrust(crypto, device.provisioning, log);

  /** Made once the message is opened and what opened it is gone. */
  const act = (command: Command, form: number) =>
    createActions({
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
      sample: (sensor) => device.later("sample", device.samples[sensor] as () => void),
      restart: device.restart,
      keyId: device.identity.id,
      mayRoll: (asked) => mayRoll(crypto, log, asked),
      roll(asked) {
        const outcome = beginRoll(crypto, log, device.identity, asked);
        device.enrol();
        return outcome;
      },
    })(command, form);

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
    },
    requestForm: device.requestForm,
    mayVerify: device.mayVerify,
    ids: device.ids,
    act: act,
  });

  return message === undefined ? handler.resume() : handler.handle(message);
}
