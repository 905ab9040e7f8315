/**
 * Deep sleep between readings. It ends the program, and a wake is a boot: that finds its session
 * in the C module, reads each sensor once, and ends in the next sleep as soon as the cloud has
 * everything, or after a while whatever it has.
 */
import { openBootGuard } from "./boot-guard.ts";
import type { Board, SleepConfig } from "./config.ts";
import type { RunningDevice } from "./device.ts";
import { keepNewest } from "./kept-session.ts";
import { OPENING } from "./life.ts";
import { ASLEEP } from "./mqtt/options.ts";
import type { System } from "./ports.ts";
import type { ServiceState } from "./service-state.ts";

/** Between two looks whether all is done: little beside the seconds that joining a network takes. */
const LOOK_MS = 100;
/** For the last acknowledgements and DISCONNECT to leave the radio. */
const FAREWELL_MS = 500;
/** Enough for a network that is slow to join, little of a battery when there is none. */
const AWAKE_SECONDS = 60;

/** From the start of the device on; on a board with deep sleep alone. */
export function startSleeper(
  service: Pick<ServiceState, "crypto" | "clock" | "log" | "life" | "report" | "system">,
  device: RunningDevice,
  board: Pick<Board, "sleep" | "session">,
): void {
  const clock = service.clock;
  const config = board.sleep as SleepConfig;
  const delivery = device.delivery;
  const end = config.awakeSeconds || AWAKE_SECONDS;

  function sleep(): void {
    try {
      delivery.suspend();
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
    const isDone = device.unread <= 0 && delivery.isSettled();
    if (!isDone && clock.uptime() < end) {
      clock.setTimeout(look, LOOK_MS);
      return;
    }
    const isOnline = service.life.state() >= OPENING;
    try {
      device.drop(ASLEEP);
    } catch {
      // The connection has just ended by itself.
    }
    if (isOnline) clock.setTimeout(sleep, FAREWELL_MS);
    else sleep();
  }

  look();
}
