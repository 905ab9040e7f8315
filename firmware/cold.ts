/**
 * What a device does a few times in its life, as modules of their own, this one and some of
 * provision/: a function at the top of the script costs five variables or more for as long as
 * the device runs, used or not. The build puts each into one function of coseflow:cold, which
 * makes it anew for each use, and costs several hundred as long as it is held. What is there
 * and here too, such as CBOR, is in flash twice.
 */
import { openBootGuard } from "./boot-guard.ts";
import { checkProvisioning } from "./config.ts";
import { sendHealth } from "./health.ts";
import { openIdentity } from "./identity.ts";
import { keepLosses, openLosses } from "./losses.ts";
import { startFarewell } from "./provision/deprovision.ts";
import { enrolmentDue } from "./provision/enrolment-due.ts";
import { readFarewell } from "./provision/farewell.ts";
import { requestFormOf } from "./provision/policy.ts";
import { checkWifi, keepWifi, openSettings } from "./provision/stored-settings.ts";
import { startTrial } from "./provision/trial.ts";
import { runSafeMode } from "./safe-mode.ts";
import { tellFailure } from "./sensor-failure.ts";
import { openTrust } from "./trust.ts";

export {
  checkProvisioning,
  checkWifi,
  enrolmentDue,
  keepLosses,
  keepWifi,
  openBootGuard,
  openIdentity,
  openLosses,
  openSettings,
  openTrust,
  readFarewell,
  requestFormOf,
  runSafeMode,
  sendHealth,
  startFarewell,
  startTrial,
  tellFailure,
};
