/** What the build makes for each use (coseflow:cold), in one piece here. */
import * as cold from "../../firmware/cold.ts";
import type { DevicePorts } from "../../firmware/device-ports.ts";
import * as reply from "../../firmware/provision/conclude.ts";
import * as farewell from "../../firmware/provision/deprovision.ts";
import * as enrolment from "../../firmware/provision/enrol.ts";
import * as due from "../../firmware/provision/enrolment-due.ts";
import * as roll from "../../firmware/provision/roll.ts";
import * as command from "../../firmware/provision/run-command.ts";

export const coldParts = {
  cold: () => cold,
  enrolment: () => enrolment,
  due: () => due,
  command: () => command,
  reply: () => reply,
  roll: () => roll,
  farewell: () => farewell,
} satisfies Partial<DevicePorts>;
