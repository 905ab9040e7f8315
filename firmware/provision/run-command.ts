/** Puts a command's parts together for one call; nothing of them stays. */
import type { Bytes } from "../../protocol/bytes.ts";
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
import { createCommandHandler } from "./command.ts";
import { eraseDevice } from "./deprovision.ts";

export interface CommandDevice {
  crypto: DeviceCrypto;
  identity: Identity;
  log: Log;
  board: Board;
  settings: Settings;
  system: Pick<System, "storage" | "interpreter">;
  provisioning: () => Provisioning;
  recipients: Recipient[];
  mayVerify: () => boolean;
  requestForm: number;
  /** Who the device is; undefined for one that was registered by hand. */
  ids: { deviceId: Bytes; userId: Bytes } | undefined;
  delivery: Pick<Delivery, "reply">;
  samples: (() => void)[];
  restart: () => void;
  /** The cloud's certificate may be another from now on. */
  trustChanged: () => void;
  /** There is something to enrol for (asked-record.ts). */
  enrol: () => void;
}

/** Takes a command; without one it goes on with what an earlier call or boot left undone. */
export function runCommand(device: CommandDevice, message: Bytes | undefined): void {
  const crypto = device.crypto;
  const log = device.log;
  const trust = openTrust(crypto, device.provisioning(), log);

  const act = createActions({
    crypto: crypto,
    log: log,
    board: device.board,
    settings: device.settings,
    hasIds: device.ids !== undefined,
    updateTrust(update) {
      trust.apply(update);
      if (update.cloudCertificate || update.issuedNotBefore) device.trustChanged();
    },
    enrol(deviceId, userId, claim) {
      writeAsked(crypto, { deviceId: deviceId, userId: userId, claim: claim });
      device.enrol();
    },
    sample: (sensor) => (device.samples[sensor] as () => void)(),
    restart: device.restart,
    roll: undefined,
  });

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
    reply: device.delivery.reply,
    erase(reply) {
      eraseDevice(device, { kid: kidOf(device.identity.thumbprint), reply: reply });
    },
  });

  if (message === undefined) handler.resume();
  else handler.handle(message);
}
