/**
 * What a device does a few times in its life, as one module of its own: a function at the
 * top of the script costs five variables or more for as long as the device runs, used or
 * not. The build puts all of it into one function, coseflow:cold, which makes it anew for each
 * use. What is there and here too, such as CBOR, is in flash twice.
 */
export { checkProvisioning } from "./config.ts";
export { runCommand } from "./provision/run-command.ts";
export { openTrust } from "./trust.ts";
