import { describe, expect, it } from "vitest";
import {
  CLASSES,
  type MessageClass,
  parseTopic,
  TOPIC_PREFIX,
  topicOf,
} from "../../protocol/topics.ts";
import { hex } from "../support/cbor-oracle.ts";
import { codeOf } from "../support/refusal.ts";

const kid = hex("00a1b2c3d4e5f6ff");
const names = Object.keys(CLASSES) as MessageClass[];

describe("topics", () => {
  it("are the profile's prefix, 16 lower-case digits and the class", () => {
    expect(TOPIC_PREFIX).toBe("cf/1");
    expect(names).toEqual([
      "session",
      "reading",
      "event",
      "receipt",
      "enrol",
      "enrolled",
      "command",
      "reply",
    ]);
    expect(topicOf(TOPIC_PREFIX, kid, "session")).toBe("cf/1/00a1b2c3d4e5f6ff/session");
  });

  it.each(names)("of class %s are read back under any prefix", (messageClass) => {
    for (const prefix of [TOPIC_PREFIX, "x", "plant/7/cf", "a.b+c/("])
      expect(parseTopic(prefix, topicOf(prefix, kid, messageClass))).toEqual({ kid, messageClass });
  });

  it.each([
    "",
    "cf/1",
    "cf/1/",
    "cf/1//session",
    "cf/1/00a1b2c3d4e5f6ff",
    "cf/1/00a1b2c3d4e5f6ff/",
    "cf/1/00a1b2c3d4e5f6ff/session/",
    "cf/1/00a1b2c3d4e5f6ff/session/x",
    "cf/1/00a1b2c3d4e5f6ff/Session",
    "cf/1/00a1b2c3d4e5f6ff/sessions",
    "cf/1/00a1b2c3d4e5f6ff/commands",
    "cf/1/00a1b2c3d4e5f6ff/constructor",
    "cf/1/00a1b2c3d4e5f6ff/__proto__",
    "cf/1/00A1B2C3D4E5F6FF/session",
    "cf/1/00a1b2c3d4e5f6f/session",
    "cf/1/00a1b2c3d4e5f6ff0/session",
    "cf/1/00a1b2c3d4e5f6fg/session",
    "cf/1/00a1b2c3d4e5f6f\n/session",
    "cf/1/00a1b2c3d4e5f6ff\n/session",
    "cf/1/+/session",
    "cf/1/#",
    "cf/2/00a1b2c3d4e5f6ff/session",
    "cf/10/00a1b2c3d4e5f6ff/session",
    "/cf/1/00a1b2c3d4e5f6ff/session",
    "xx/1/00a1b2c3d4e5f6ff/session",
    "$SYS/broker/uptime",
  ])("%j is refused: topic", (topic) => {
    expect(codeOf(() => parseTopic(TOPIC_PREFIX, topic))).toBe("topic");
  });
});

describe("the table of classes", () => {
  it("lets a device publish up to 4 KiB, and takes at most 1 KiB downward", () => {
    for (const { up, limit } of Object.values(CLASSES))
      expect(limit).toBeLessThanOrEqual(up ? 4096 : 1024);
    expect(CLASSES.session).toEqual({ up: true, qos: 2, limit: 4096 });
    expect(CLASSES.reading).toEqual({ up: true, qos: 1, limit: 1024 });
    expect(CLASSES.event).toEqual({ up: true, qos: 2, limit: 4096 });
    expect(CLASSES.receipt).toEqual({ up: false, qos: 1, limit: 1024 });
    expect(CLASSES.enrol).toEqual({ up: true, qos: 2, limit: 4096 });
    expect(CLASSES.enrolled).toEqual({ up: false, qos: 2, limit: 1024 });
    expect(CLASSES.command).toEqual({ up: false, qos: 2, limit: 1024 });
    expect(CLASSES.reply).toEqual({ up: true, qos: 2, limit: 4096 });
  });
});
