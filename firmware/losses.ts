/** What the device could not keep, as counts that readings and health records tell. */
export interface Losses {
  /** Readings that a full queue did not take, or gave up. */
  readings: number;
  /** Events that gave way to later ones. */
  events: number;
}
