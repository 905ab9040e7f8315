import { FlashFailure } from "../flash/failure.ts";
import { encodeSettings } from "../flash/settings.ts";
import type { Job } from "./job.ts";

/** What a person has typed; empty where the settings file is to count. */
export interface Entries {
  ssid: string;
  password: string;
  deviceId: string;
  userId: string;
  claim: string;
}

function refuse(reason: string, next: string): never {
  throw new FlashFailure("files", reason, next);
}

function wifiOf({ ssid, password }: Entries): object {
  if (ssid === "" && password === "") return {};
  if (ssid === "") refuse("a Wi-Fi password without the name of its network", "enter both");
  // WPA's bounds; the firmware has the same.
  if (password !== "" && (password.length < 8 || password.length > 63))
    refuse(
      `the Wi-Fi password has ${password.length} characters`,
      "enter 8 to 63, or none for an open network",
    );
  return { wifi: [{ ssid, password }] };
}

function enrolmentOf({ deviceId, userId, claim }: Entries): object {
  if (deviceId === "" && userId === "" && claim === "") return {};
  if (deviceId === "" || userId === "")
    refuse("a device that enrols needs a device id and a user id", "enter both, or none of it");
  if (claim !== "" && !/^[0-9a-f]{32}$/i.test(claim))
    refuse(
      "the claim is not 32 hexadecimal digits",
      "enter it as coseflow claim new has printed it",
    );
  return { deviceId, userId, claim: claim === "" ? undefined : claim };
}

/** The settings to write: those of the file with what was typed in its place. */
export function settingsOf(job: Job, entries: Entries): Uint8Array | undefined {
  const typed = { ...wifiOf(entries), ...enrolmentOf(entries) };
  if (job.settings !== null)
    return encodeSettings("the settings file", { ...job.settings, ...typed }, job.needsWifi);
  if (Object.keys(typed).length > 0)
    refuse(
      "there is no settings file, which says what brokers and whom to trust",
      "end coseflow flash --web, and start it again with --settings",
    );
  return undefined;
}
