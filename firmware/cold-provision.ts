/** As cold.ts, for what provisioning alone needs. */
import { startFarewell } from "./provision/deprovision.ts";
import { createEnrolment } from "./provision/enrol.ts";
import { runCommand } from "./provision/run-command.ts";

export { createEnrolment, runCommand, startFarewell };
