/** What the build makes for each use (coseflow:cold), in one piece here. */
import * as cold from "../../firmware/cold.ts";
import type { DevicePorts } from "../../firmware/device-ports.ts";
import * as certify from "../../firmware/provision/certify.ts";
import * as reply from "../../firmware/provision/conclude.ts";
import * as enrolment from "../../firmware/provision/enrol.ts";
import * as roll from "../../firmware/provision/roll.ts";
import * as command from "../../firmware/provision/run-command.ts";

export const coldParts = {
  cold: () => cold,
  enrolment: () => enrolment,
  command: () => command,
  reply: () => reply,
  roll: () => roll,
  certify: () => certify,
} satisfies Partial<DevicePorts>;
