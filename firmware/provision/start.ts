/** A device, or what a deletion has left of one. */
import type { Board, Settings } from "../config.ts";
import { startDevice } from "../device.ts";
import type { DevicePorts, RunningDevice } from "../device-ports.ts";
import { CONNECTED, DELETED, DISCONNECTED, STARTED } from "../life.ts";
import { createMqttClient } from "../mqtt/client.ts";

/** As startDevice. Where the device was deleted no key is made or opened, and nothing is measured. */
export function startProvisioned(
  ports: DevicePorts,
  board: Board,
  settings: Settings,
): RunningDevice {
  const life = ports.life;
  const farewell = ports.cold().readFarewell(ports.crypto, ports.system.storage);
  if (farewell === undefined) return startDevice(ports, board, settings);
  life.move(STARTED);
  life.move(DELETED);
  const running = ports.cold().startFarewell(
    createMqttClient,
    {
      crypto: ports.crypto,
      log: ports.log,
      system: ports.system,
      net: ports.net,
      clock: ports.clock,
      onConnection: (connected) => life.move(connected ? CONNECTED : DISCONNECTED),
    },
    settings,
    farewell,
  );
  ports.joinNetwork(running.connect);
  return {
    kid: running.kid,
    delivery: undefined,
    turn: running.turn,
    refused: 0,
    firstSession: 0,
    samples: [],
    enroller: undefined,
    keepTrial: undefined,
    busy: 0,
  };
}
