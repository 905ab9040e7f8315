/** What the page is given by `coseflow flash --web`, beside the bundle. */
export interface Job {
  board: string;
  /** Of the board file. */
  chip: string;
  flashMegabytes: number;
  needsWifi: boolean;
  isLocked: boolean;
  /** For writing the image. */
  baudRate: number;
  /** Of the settings file, passwords too: they are written, and never shown. */
  settings: Record<string, unknown> | null;
}
