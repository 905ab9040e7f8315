/**
 * Deep sleep between readings. It ends the program, and a wake is a boot: that finds its session
 * in the C module, reads each sensor once, and ends in the next sleep as soon as the cloud has
 * everything, or after a while whatever it has: a silent cloud must not drain the battery.
 */
import type { DeviceCrypto } from "../protocol/cose/crypto.ts";
import type { Board, SleepConfig } from "./config.ts";
import type { RunningDevice } from "./device-ports.ts";
import { keepNewest } from "./kept-session.ts";
import { DEPROVISIONED, ENROLLING, SLEPT } from "./life.ts";
import { ASLEEP } from "./mqtt/options.ts";
import { IN_FLIGHT, rewind, WAITING } from "./outgoing.ts";
import type { System } from "./ports.ts";
import { DEFAULT_PERIOD_HOURS } from "./service.ts";
import type { ServiceState } from "./service-state.ts";
import type { AtSleep } from "./session-list.ts";
import { type Signed, writeSigned } from "./signed-records.ts";

/** Between two looks whether all is done: little beside the seconds that joining a network takes. */
const LOOK_MS = 100;
/** For the last acknowledgements and DISCONNECT to leave the radio, and for what came last to be acted on. */
const FAREWELL_MS = 500;
/** Enough for a network that is slow to join, little of a battery when there is none. */
const AWAKE_SECONDS = 60;

/**
 * True when nothing is at work, the cloud has all, and the broker owes no acknowledgement of a
 * signed message. Without a session the device enrols, or waits for a certificate of the cloud.
 * Where a sensor fails it connects all the same: a command may wait for it.
 */
function isSettled(device: RunningDevice): boolean {
  const delivery = device.delivery;
  if (!delivery || device.enroller || device.busy > 0 || device.turn.connects === 0) return false;
  const newest = delivery.newest();
  return (
    delivery.queued() === 0 &&
    (device.atSleep as AtSleep).events().length === 0 &&
    newest.receipted &&
    newest.state !== IN_FLIGHT
  );
}

/**
 * Before the memory is lost: what no receipt has listed goes to flash, to be sent again. A signed
 * message that the broker took is a new one to the next wake, which may be too short to wait for a
 * receipt, or the registrar's answer, first.
 */
function suspend(crypto: DeviceCrypto, device: RunningDevice): void {
  const delivery = device.delivery;
  let signed: Signed[] = device.enroller ? [device.enroller.item] : [];
  const inside = device.atSleep;
  if (delivery && inside) {
    inside.outbox.rewind(Infinity);
    inside.outbox.spill(Infinity);
    signed = signed.concat(delivery.sessions(), inside.events());
  }
  signed.forEach(function (item) {
    rewind(item, Infinity);
    if (item.receipted || item.state !== WAITING || item.phase === 0) return;
    item.phase = 0;
    writeSigned(crypto, item);
  });
}

/** From the start of the device on; on a board with deep sleep alone. */
export function startSleeper(
  service: ServiceState,
  device: RunningDevice,
  board: Pick<Board, "sleep" | "session" | "health">,
): void {
  const clock = service.clock;
  const life = service.life;
  const config = board.sleep as SleepConfig;
  const end = config.awakeSeconds || AWAKE_SECONDS;
  const periodHours = (board.health && board.health.periodHours) || DEFAULT_PERIOD_HOURS;

  function sleep(): void {
    const delivery = device.delivery;
    try {
      suspend(service.crypto, device);
    } catch (error) {
      service.report(error, "before sleep");
    }
    if (delivery) {
      service.cold().keepLosses(service, delivery.losses);
      keepNewest(
        service,
        (device.atSleep as AtSleep).note,
        delivery.newest(),
        clock.uptime(),
        delivery.time(),
        config.seconds,
        board.session && board.session.rekeySeconds,
        delivery.sessions().length,
      );
    }
    service.cold().openBootGuard(service.crypto, service.log).lasted();
    life.move(SLEPT);
    service.log("asleep for " + config.seconds + " s");
    (service.system.esp32 as NonNullable<System["esp32"]>).deepSleep(config.seconds * 1000000);
  }

  /**
   * A trial of networks and a deleted device's farewell have bounds of their own, which would begin
   * anew with each wake.
   */
  function isHeld(): boolean {
    if (device.keepTrial || life.state() === DEPROVISIONED) return true;
    return clock.uptime() < end && !isSettled(device);
  }

  /**
   * The health record, a period after the last one, once the cloud has all else: it answers then.
   * Not in a boot, which may be one of a loop, and each costs a counter.
   */
  function tellHealth(): void {
    const delivery = device.delivery;
    const note = device.atSleep && device.atSleep.note;
    const time = delivery && delivery.time();
    if (!note || !note.isWake || time === undefined) return;
    if (time - note.healthAt < periodHours * 3600 || !isSettled(device)) return;
    note.healthAt = time;
    service.cold().sendHealth(service, device);
  }

  function look(): void {
    tellHealth();
    if (isHeld()) {
      clock.setTimeout(look, LOOK_MS);
      return;
    }
    const isOnline = life.state() >= ENROLLING;
    try {
      (device.drop as (reason: string) => void)(ASLEEP);
    } catch {
      // The connection has just ended by itself.
    }
    if (isOnline) clock.setTimeout(sleep, FAREWELL_MS);
    else sleep();
  }

  look();
}
