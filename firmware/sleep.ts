/**
 * Deep sleep between readings. It ends the program, and a wake is a boot: that finds its session
 * in the C module, reads each sensor once, and ends in the next sleep as soon as the cloud has
 * everything, or after a while whatever it has.
 */
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import { openBootGuard } from "./boot-guard.ts";
import type { Board, SleepConfig } from "./config.ts";
import type { RunningDevice } from "./device-ports.ts";
import { keepNewest } from "./kept-session.ts";
import { OPENING } from "./life.ts";
import { ASLEEP } from "./mqtt/options.ts";
import { IN_FLIGHT, rewind, WAITING } from "./outgoing.ts";
import type { System } from "./ports.ts";
import type { ServiceState } from "./service-state.ts";
import { type Signed, writeSigned } from "./signed-records.ts";

/** Between two looks whether all is done: little beside the seconds that joining a network takes. */
const LOOK_MS = 100;
/** For the last acknowledgements and DISCONNECT to leave the radio. */
const FAREWELL_MS = 500;
/** Enough for a network that is slow to join, little of a battery when there is none. */
const AWAKE_SECONDS = 60;

type Delivery = NonNullable<RunningDevice["delivery"]>;

/** True when the cloud has all, and the broker owes no acknowledgement of a signed message. */
function isSettled(delivery: Delivery): boolean {
  const newest = delivery.newest();
  return (
    delivery.queued() === 0 &&
    delivery.events().length === 0 &&
    newest.receipted &&
    newest.state !== IN_FLIGHT
  );
}

/**
 * Before the memory is lost: what no receipt has listed goes to flash, to be sent again. A signed
 * message that the broker took is a new one to the next wake, which may be too short to wait for a
 * receipt first.
 */
function suspend(crypto: DeviceCrypto, delivery: Delivery): void {
  delivery.outbox.rewind(Infinity);
  delivery.outbox.spill(Infinity);
  (delivery.sessions() as Signed[]).concat(delivery.events()).forEach(function (item) {
    rewind(item, Infinity);
    if (item.receipted || item.state !== WAITING || item.phase === 0) return;
    item.phase = 0;
    writeSigned(crypto, item);
  });
}

/**
 * From the start of the device on; on a board with deep sleep alone. Without a session the board
 * stays awake: it enrols, or waits for a certificate of the cloud.
 */
export function startSleeper(
  service: Pick<ServiceState, "crypto" | "clock" | "log" | "life" | "report" | "system">,
  device: RunningDevice,
  board: Pick<Board, "sleep" | "session">,
): void {
  const clock = service.clock;
  const config = board.sleep as SleepConfig;
  const end = config.awakeSeconds || AWAKE_SECONDS;

  function sleep(delivery: Delivery): void {
    try {
      suspend(service.crypto, delivery);
    } catch (error) {
      service.report(error, "before sleep");
    }
    keepNewest(
      service,
      delivery.newest(),
      clock.uptime(),
      delivery.time(),
      board.session && board.session.rekeySeconds,
    );
    openBootGuard(service.crypto, service.log).lasted();
    service.log("asleep for " + config.seconds + " s");
    (service.system.esp32 as NonNullable<System["esp32"]>).deepSleep(config.seconds * 1000000);
  }

  function look(): void {
    const delivery = device.delivery;
    if (
      !delivery ||
      device.busy > 0 ||
      (clock.uptime() < end && (device.unread > 0 || !isSettled(delivery)))
    ) {
      clock.setTimeout(look, LOOK_MS);
      return;
    }
    const isOnline = service.life.state() >= OPENING;
    try {
      device.drop(ASLEEP);
    } catch {
      // The connection has just ended by itself.
    }
    if (isOnline) clock.setTimeout(() => sleep(delivery), FAREWELL_MS);
    else sleep(delivery);
  }

  look();
}
