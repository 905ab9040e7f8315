/**
 * What a device does a few times in its life, as one module of its own: a function at the
 * top of the script costs five variables or more for as long as the device runs, used or
 * not. The build puts all of it into one function, coseflow:cold, which makes it anew for each
 * use. What is there and here too, such as CBOR, is in flash twice.
 */
import { openBootGuard } from "./boot-guard.ts";
import { checkProvisioning, checkSettings } from "./config.ts";
import { sendHealth } from "./health.ts";
import { openIdentity } from "./identity.ts";
import { createEnrolment } from "./provision/enrol.ts";
import { enrolmentDue } from "./provision/enrolment-due.ts";
import { requestFormOf } from "./provision/policy.ts";
import { runCommand } from "./provision/run-command.ts";
import { startProvisioned } from "./provision/start.ts";
import { startTrial } from "./provision/trial.ts";
import { runSafeMode } from "./safe-mode.ts";
import { openTrust } from "./trust.ts";

export {
  checkProvisioning,
  checkSettings,
  createEnrolment,
  enrolmentDue,
  openBootGuard,
  openIdentity,
  openTrust,
  requestFormOf,
  runCommand,
  runSafeMode,
  sendHealth,
  startProvisioned,
  startTrial,
};
