/** Bounds of board files, with their reasons. */

/** The files here have 1 kB. More is no board file, and not worth parsing. */
export const MAX_BYTES = 65_536;

/** The schema goes down to 4. It bounds the recursion of the parser. */
export const MAX_DEPTH = 16;

/** Some 15 of a device's 4,095 variables each. */
export const MEMORY_READINGS = 64;

/** What the flash ring of 320 kB (partitions.csv) holds of readings with a few values. */
export const FLASH_READINGS = 2500;

/** From a minute, so that counters and signatures are not spent, up to the profile's own limit of a day. */
export const REKEY_SECONDS = { minimum: 60, maximum: 86_400 };

/** A timer of Espruino takes longer ones, but nobody should wait longer for a sign of life. */
export const MAX_PERIOD_SECONDS = 86_400;

/** Of a mean: each sample takes its time, and the sensor is busy for all of them. */
export const MAX_SAMPLES = 16;

/** Of bounds, bands and scales: at the finest exponent still a whole number that is exact. */
export const MAX_VALUE = 1_000_000_000;

/** Espruino counts the microseconds of a sleep in 31 bits: 2,147 s. */
export const LONGEST_SLEEP_SECONDS = 2100;

/** A board that is awake for longer than a trial of new networks has no use for sleep. */
export const LONGEST_AWAKE_SECONDS = 600;
