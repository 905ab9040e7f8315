/** What all sensors of a board file have in common. */
import { type TProperties, Type } from "typebox";
import { MAX_PERIOD_SECONDS, MAX_SAMPLES, MAX_VALUE } from "./limits.ts";
import { closed } from "./parts.ts";

const COMMON = {
  periodSeconds: Type.Integer({
    minimum: 1,
    maximum: MAX_PERIOD_SECONDS,
    title: "Period",
    description: "Seconds between two readings.",
    examples: [10],
  }),
  qos: Type.Enum([0, 1], {
    title: "Quality of service",
    description: "1: each reading is kept until a receipt lists it. 0: sent once and forgotten.",
    examples: [1],
  }),
  drop: Type.Optional(
    Type.Enum(["oldest", "newest"], {
      title: "What goes when the queue is full",
      description:
        "oldest, also where not given: the oldest reading in the queue, whichever sensor's. newest: this sensor's new one is not taken.",
      examples: ["oldest"],
    }),
  ),
  name: Type.Optional(
    Type.String({
      pattern: "^[a-z][a-z0-9-]{0,23}$",
      title: "Name of the sensor",
      description:
        "What its values are called: the only one by this name, several with it and a hyphen in front. Needed where two sensors measure the same.",
      examples: ["outside"],
    }),
  ),
  average: Type.Optional(
    Type.Integer({
      minimum: 2,
      maximum: MAX_SAMPLES,
      title: "Samples of a mean",
      description: "A reading is the mean of so many samples, taken one after the other.",
      examples: [4],
    }),
  ),
  heartbeatSeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_PERIOD_SECONDS,
      title: "Heartbeat",
      description:
        "With `deadband`: a reading is sent after this time in any case; 3600 where not given.",
      examples: [3600],
    }),
  ),
};

/** One optional property for each value that the sensor measures. */
function perQuantity<T extends TProperties[string]>(
  quantities: readonly string[],
  make: (quantity: string) => T,
) {
  return Object.fromEntries(
    quantities.map((quantity) => [quantity, Type.Optional(make(quantity))]),
  ) as { [quantity: string]: ReturnType<typeof Type.Optional<T>> };
}

function number(title: string, description: string, example: number, minimum = -MAX_VALUE) {
  return Type.Number({ minimum, maximum: MAX_VALUE, title, description, examples: [example] });
}

const bounds = (quantity: string) =>
  closed(
    {
      min: number("Least value", "Values below this are a failure. In the value's unit.", -20),
      max: number("Greatest value", "Values above this are a failure. In the value's unit.", 60),
    },
    {
      title: `Range of ${quantity}`,
      description: `Least and greatest ${quantity} that can be true; others are a failure.`,
      examples: [{ min: -20, max: 60 }],
    },
  );

const band = (quantity: string) =>
  number(
    `Dead band of ${quantity}`,
    `How much ${quantity} may differ from what was sent last without being sent. In its unit.`,
    0.5,
    0,
  );

const limits = (quantity: string) =>
  closed(
    {
      above: Type.Optional(
        number("Above", "A value above this is an alarm. In the value's unit.", 30),
      ),
      below: Type.Optional(
        number("Below", "A value below this is an alarm. In the value's unit.", 5),
      ),
      hysteresis: Type.Optional(
        number(
          "Hysteresis",
          "How far the value must come back before the alarm is over; 0 where not given.",
          0.5,
          0,
        ),
      ),
    },
    {
      title: `Alarm of ${quantity}`,
      description: `A signed event when ${quantity} goes above or below, and one when it is back.`,
      examples: [{ above: 30, hysteresis: 0.5 }],
    },
  );

/** A driver as the tools know it: `name` is a file in firmware/sensors/. */
export interface DriverPlan<N extends string, T extends TProperties> {
  name: N;
  description: string;
  /** Of its values, without the sensor's own name: the keys of `range`, `alarm` and `deadband`. */
  quantities: readonly string[];
  /** How long one sample takes at most. */
  sampleMs: number;
  /** Its own properties: optional ones of SensorConfig in firmware/config.ts. */
  own: T;
  examples: object[];
}

export function createDriver<const N extends string, T extends TProperties>(
  plan: DriverPlan<N, T>,
) {
  const { name, quantities } = plan;
  const first = `${quantities[0]}`;
  const schema = closed(
    {
      driver: Type.Literal(name, {
        title: "Driver",
        description: `${name}: ${plan.description}`,
        examples: [name],
      }),
      ...COMMON,
      range: Type.Optional(
        closed(perQuantity(quantities, bounds), {
          minProperties: 1,
          title: "Range",
          description: "Least and greatest value, by quantity. Values outside are a failure.",
          examples: [{ [first]: { min: -20, max: 60 } }],
        }),
      ),
      deadband: Type.Optional(
        closed(perQuantity(quantities, band), {
          minProperties: 1,
          title: "Dead band",
          description:
            "A reading is sent when one of these quantities differs by more than so much from what was sent last.",
          examples: [{ [first]: 0.5 }],
        }),
      ),
      alarm: Type.Optional(
        closed(perQuantity(quantities, limits), {
          minProperties: 1,
          title: "Alarm",
          description:
            "Thresholds, by quantity. A value that crosses one is a signed event, and so is its return.",
          examples: [{ [first]: { above: 30, below: 5, hysteresis: 0.5 } }],
        }),
      ),
      ...plan.own,
    },
    { title: name, description: plan.description, examples: plan.examples },
  );
  return { name, quantities, sampleMs: plan.sampleMs, schema };
}
