import type { Command } from "@commander-js/extra-typings";
import type { Output } from "./output.ts";

/** Adds a command, with all below it, to the program. */
export type AddCommand = (program: Command, output: Output) => void;

/** How each command is loaded, in the order of the help. One takes a fraction of the time of all. */
const COMMANDS: Record<string, () => Promise<AddCommand>> = {
  ca: async () => (await import("./ca.ts")).addCaCommand,
  device: async () => (await import("./device.ts")).addDeviceCommand,
  claim: async () => (await import("./claim.ts")).addClaimCommand,
  audit: async () => (await import("./audit.ts")).addAuditCommand,
  journal: async () => (await import("./journal.ts")).addJournalCommand,
  serve: async () => (await import("./serve.ts")).addServeCommand,
  provision: async () => (await import("./provision.ts")).addProvisionCommand,
  simulate: async () => (await import("./simulate.ts")).addSimulateCommand,
  demo: async () => (await import("./demo-command.ts")).addDemoCommand,
  inspect: async () => (await import("./inspect.ts")).addInspectCommand,
  doctor: async () => (await import("./doctor.ts")).addDoctorCommand,
  init: async () => (await import("./init.ts")).addInitCommand,
  build: async () => (await import("./build.ts")).addBuildCommand,
  validate: async () => (await import("./validate.ts")).addValidateCommand,
  ports: async () => (await import("./ports.ts")).addPortsCommand,
  flash: async () => (await import("./flash.ts")).addFlashCommand,
  monitor: async () => (await import("./monitor.ts")).addMonitorCommand,
  repl: async () => (await import("./repl.ts")).addReplCommand,
  wifi: async () => (await import("./wifi.ts")).addWifiCommand,
  completion: async () => (await import("./completion.ts")).addCompletionCommand,
};

/** The one that speaks of all the others. */
const WHOLE = "completion";

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/**
 * What a command line needs: the command that it names, or all where it names none, for help
 * and to say which there are.
 */
export function loadCommands([name = ""]: readonly string[]): Promise<AddCommand[]> {
  const isOne = Object.hasOwn(COMMANDS, name) && name !== WHOLE;
  const loads = isOne ? [COMMANDS[name] as () => Promise<AddCommand>] : Object.values(COMMANDS);
  return Promise.all(loads.map((load) => load()));
}
