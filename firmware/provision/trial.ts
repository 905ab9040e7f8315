import type { DeviceCrypto } from "../../protocol/cose/crypto.ts";
import type { Board, Settings } from "../config.ts";
import type { Clock, Log } from "../ports.ts";
import { readCommandRecord } from "./command-record.ts";
import {
  applyStoredSettings,
  dropTrial,
  keepTrial,
  readStoredSettings,
  TRIAL_SECONDS,
} from "./stored-settings.ts";

/**
 * Puts stored settings over the flashed ones. Where networks are on trial it gives what to
 * call once a broker has answered; when none has for long, they go and the board restarts.
 */
export function startTrial(
  ports: { crypto: DeviceCrypto; clock: Clock; log: Log; restart: () => void },
  board: Board,
  settings: Settings,
): (() => void) | undefined {
  const crypto = ports.crypto;
  const stored = readStoredSettings(crypto, ports.log);
  applyStoredSettings(stored, board, settings);
  if (!stored.trial) return undefined;
  const timer = ports.clock.setTimeout(function () {
    const last = readCommandRecord(crypto, ports.log);
    dropTrial(crypto, ports.log, last ? last.counter : 0);
    ports.restart();
  }, TRIAL_SECONDS * 1000);

  return function () {
    ports.clock.clearTimeout(timer);
    keepTrial(crypto, ports.log);
  };
}
