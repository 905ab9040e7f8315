/** The sensors of a virtual device: each reading is another number, so that the cloud's can be told apart. */
import type { Sensor } from "../../../firmware/sensors/sensor.ts";
import { measuredKey } from "../history/measured.ts";
import type { Values } from "../history.ts";

/** "fails" with an error, or "hangs" and never answers. */
export type Measuring = "works" | "fails" | "hangs";

export function createSensors(now: () => number) {
  const produced: Values[] = [];
  /** When, in seconds of the world. */
  const producedAt: number[] = [];
  const indexes = new Map<string, number>();
  let measuring: Measuring = "works";

  return {
    produced,
    producedAt,
    /** Where in `produced` these values are; -1 when nobody has measured them. */
    indexOf: (values: Values): number => indexes.get(measuredKey(values)) ?? -1,
    setMeasuring(value: Measuring): void {
      measuring = value;
    },
    create: (name: string): Sensor => ({
      quantities: [{ name, unit: "1", exponent: -2 }],
      read(done) {
        if (measuring === "hangs") return;
        if (measuring === "fails")
          return done(new Error("sensor, expected to measure, got told not to"), []);
        const count = produced.length + 1;
        const values = { [name]: count / 100 };
        indexes.set(measuredKey(values), produced.length);
        produced.push(values);
        producedAt.push(now());
        done(undefined, [count]);
      },
    }),
  };
}
