import { Type } from "typebox";
import { SENSOR } from "./drivers.ts";
import {
  FLASH_READINGS,
  LONGEST_AWAKE_SECONDS,
  LONGEST_SLEEP_SECONDS,
  MEMORY_READINGS,
  REKEY_SECONDS,
} from "./limits.ts";
import { closed, PIN } from "./parts.ts";

/**
 * The one source of what a board file may say: the validation, boards/board.schema.json for
 * editors (`npm run schema`) and the check of firmware/config.ts come from here.
 */

/** For the tools on the computer: the build leaves them out of the bundle. */
export const BUILD_PROPERTIES = {
  $schema: Type.Optional(
    Type.String({
      title: "Schema",
      description: "Where an editor finds the schema of this file.",
      examples: ["./board.schema.json"],
    }),
  ),
  chip: Type.Enum(["esp32-c3", "esp32-s3", "linux"], {
    title: "Chip",
    description: "The chip, which decides what pins there are. linux is Espruino on a computer.",
    examples: ["esp32-c3"],
  }),
  flashMegabytes: Type.Optional(
    Type.Integer({
      minimum: 4,
      maximum: 32,
      title: "Size of the flash",
      description: "Megabytes of flash. The layout of the flash takes 4, and leaves more alone.",
      examples: [4],
    }),
  ),
};

const PIN_CONFIG = {
  pin: PIN,
  activeLow: Type.Optional(
    Type.Boolean({
      title: "Active low",
      description: "True where it is on, or pressed, at the low level. False where not given.",
      examples: [true],
    }),
  ),
};

const I2C = closed(
  {
    sda: PIN,
    scl: PIN,
    bitrate: Type.Integer({
      minimum: 1000,
      maximum: 400_000,
      title: "Bit rate",
      description: "Bits a second: 100000, or up to 400000 where all devices of the bus can.",
      examples: [100_000],
    }),
  },
  {
    title: "I2C bus",
    description: "Pins of the I2C bus. Only where sensors need one.",
    examples: [{ sda: "D5", scl: "D6", bitrate: 100_000 }],
  },
);

const QUEUE = closed(
  {
    readings: Type.Integer({
      minimum: 1,
      maximum: MEMORY_READINGS,
      title: "Readings in memory",
      description: "Sealed readings kept in memory until a receipt lists them.",
      examples: [32],
    }),
    flash: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: FLASH_READINGS,
        title: "Readings in flash",
        description:
          "How many more in flash, where they outlive a power cut. None where not given.",
        examples: [2500],
      }),
    ),
    spillSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 86_400,
        title: "Seconds before flash",
        description:
          "How long a reading may wait in memory before it goes to flash; 60 where not given. " +
          "At 0 each is in flash before it is sent: none is lost, and flash wears faster.",
        examples: [60],
      }),
    ),
  },
  {
    title: "Queue",
    description: "Where readings wait until the cloud has stored them.",
    examples: [{ readings: 32, flash: 2500 }],
  },
);

const form = (action: string, ...forms: ("sealed" | "signed" | "plain")[]) =>
  Type.Optional(
    Type.Enum(forms, {
      title: `Form of ${action}`,
      description: `The most open form in which the command ${action} is taken; sealed where not given.`,
      examples: ["sealed"],
    }),
  );

const PROVISIONING_TEXT =
  "In which form commands are taken. high-security, also where not given: all sealed. " +
  "standard: request may be signed only. Or the form of each.";

/** The presets, and the form of each action: judged by itself, as each sensor is. */
export const PROVISIONING = {
  preset: Type.Enum(["high-security", "standard"], { description: PROVISIONING_TEXT }),
  policy: closed(
    {
      request: form("request", "sealed", "signed", "plain"),
      update: form("update", "sealed"),
      delete: form("delete", "sealed"),
    },
    { description: PROVISIONING_TEXT },
  ),
};

/** What the firmware is given: the shape of `Board` in firmware/config.ts. */
export const DEVICE_PROPERTIES = {
  name: Type.String({
    pattern: "^[a-z0-9][a-z0-9-]{0,39}$",
    title: "Name",
    description: "Name of the board and of its file: lower-case letters, digits and hyphens.",
    examples: ["esp32-c3-devkitm-1"],
  }),
  network: Type.Enum(["wifi", "host"], {
    title: "Network",
    description: "wifi: the board's own. host: that of the computer it runs on.",
    examples: ["wifi"],
  }),
  i2c: Type.Optional(I2C),
  sensors: Type.Array(SENSOR, {
    maxItems: 16,
    title: "Sensors",
    description: "What is measured, and how often. Only drivers that are named here are bundled.",
    examples: [[{ driver: "sht3x", periodSeconds: 10, qos: 1 }]],
  }),
  queue: QUEUE,
  session: Type.Optional(
    closed(
      {
        rekeySeconds: Type.Optional(
          Type.Integer({
            ...REKEY_SECONDS,
            title: "Seconds between keys",
            description: "A new session key after this time, once the old one is receipted.",
            examples: [86_400],
          }),
        ),
      },
      {
        title: "Session",
        description: "How long a session key is used.",
        examples: [{ rekeySeconds: 86_400 }],
      },
    ),
  ),
  led: Type.Optional(
    closed(PIN_CONFIG, {
      title: "LED",
      description: "A plain LED that shows the state. A WS2812 is none.",
      examples: [{ pin: "D8", activeLow: true }],
    }),
  ),
  button: Type.Optional(
    closed(PIN_CONFIG, {
      title: "Button",
      description: "A button for safe mode and factory reset.",
      examples: [{ pin: "D9", activeLow: true }],
    }),
  ),
  console: Type.Optional(
    Type.Enum(["open", "locked"], {
      title: "Console",
      description:
        "open, also where not given: whoever holds the cable can type. locked: nobody can, and nothing is printed.",
      examples: ["open"],
    }),
  ),
  provisioning: Type.Optional(
    Type.Union([PROVISIONING.preset, PROVISIONING.policy], {
      title: "Provisioning",
      description: PROVISIONING_TEXT,
      examples: ["high-security", { request: "signed" }],
    }),
  ),
  sleep: Type.Optional(
    closed(
      {
        seconds: Type.Integer({
          minimum: 1,
          maximum: LONGEST_SLEEP_SECONDS,
          title: "Seconds asleep",
          description: "Deep sleep between two wakes. Each sensor is read once at each wake.",
          examples: [600],
        }),
        awakeSeconds: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: LONGEST_AWAKE_SECONDS,
            title: "Seconds awake at most",
            description:
              "Awake for at most this long when receipts do not come; 60 where not given.",
            examples: [60],
          }),
        ),
      },
      {
        title: "Deep sleep",
        description: "A board on a battery sleeps between readings. It needs `queue.flash`.",
        examples: [{ seconds: 600 }],
      },
    ),
  ),
  health: Type.Optional(
    closed(
      {
        periodHours: Type.Integer({
          minimum: 1,
          maximum: 168,
          title: "Hours between health records",
          description: "Hours between two health records; 24 where there is no `health`.",
          examples: [24],
        }),
      },
      {
        title: "Health",
        description: "How often the device reports how it is.",
        examples: [{ periodHours: 24 }],
      },
    ),
  ),
};

export const BOARD = closed(
  { ...BUILD_PROPERTIES, ...DEVICE_PROPERTIES },
  {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "coseflow board",
    description: "One kind of board. It is public: no password, key or network name belongs here.",
  },
);
