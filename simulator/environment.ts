/** What surrounds a board's sensors at a moment. */
export interface Surroundings {
  celsius: number;
  relativeHumidity: number;
  /** Air pressure; that of the standard atmosphere where not given. */
  pascal?: number;
}

/** Seconds are those since the sensor's power-up. */
export type Environment = (seconds: number) => Surroundings;

export const STANDARD_PASCAL = 101325;
