/** Each rule of the checker is seen to fail on a history that breaks it, and on no other. */
import { describe, expect, it } from "vitest";
import { checkHistory, type History, type Rule } from "./history.ts";
import {
  ack,
  BOOT,
  connack,
  type GoodHistory,
  goodHistory,
  got,
  makeReading,
  makeReceipt,
  makeSession,
  publish,
  sent,
  storedAs,
} from "./history-builder.ts";

/** The rules that a history breaks, each once. */
const brokenBy = (history: History) => [
  ...new Set(checkHistory(history).map((violation) => violation.split(":")[0])),
];

type Doctor = (history: GoodHistory) => void;

const DOCTORED: [Rule, string, Doctor][] = [
  [
    "nonce",
    "a sequence number encrypts twice",
    ({ events, session }) => events.push(sent(publish("reading", makeReading(session, 2, 9), 13))),
  ],
  [
    "session",
    "a session key id has two messages",
    ({ events }) => events.push(sent(publish("session", makeSession(7).message, 14))),
  ],
  [
    "session",
    "two sessions share a key",
    ({ cloud, session }) => cloud.sessions.push({ ...session.stored, counter: 9 }),
  ],
  ["early", "a reading goes out before its session's receipt", ({ events }) => events.splice(6, 1)],
  [
    "early",
    "a reading of a session that nobody has seen",
    ({ events }) => events.push(sent(publish("reading", makeReading(makeSession(8), 1, 1), 15))),
  ],
  [
    "packet-id",
    "an id is given away while in flight",
    ({ events, session }) => {
      events.push(sent(publish("reading", makeReading(session, 3, 2152), 16)));
      events.push(sent(publish("reading", makeReading(session, 4, 2153), 16)));
    },
  ],
  [
    "packet-id",
    "an id that the broker may hold from before a boot is given away",
    ({ events }) => {
      events.push(sent(publish("session", makeSession(8).message, 17)), BOOT, connack(true));
      events.push(sent(publish("session", makeSession(9).message, 17)));
    },
  ],
  ["pubrel", "pubrel goes out without pubrec", ({ events }) => events.splice(3, 1)],
  [
    "pubrel",
    "pubrel of an id that nobody spoke of",
    ({ events }) => events.push(sent(ack("pubrel", 99))),
  ],
  [
    "pubrel",
    "one pubrec is answered twice",
    ({ events }) => {
      events.push(sent(publish("session", makeSession(8).message, 18)), got(ack("pubrec", 18)));
      events.push(sent(ack("pubrel", 18)), sent(ack("pubrel", 18)));
    },
  ],
  [
    "pubrel",
    "pubrel goes out twice at one reconnect",
    ({ events }) => {
      events.push(sent(publish("session", makeSession(8).message, 18)), got(ack("pubrec", 18)));
      events.push(connack(true), sent(ack("pubrel", 18)), sent(ack("pubrel", 18)));
    },
  ],
  [
    "pubrel",
    "pubrel goes out after pubcomp",
    ({ events }) => {
      events.push(sent(publish("session", makeSession(8).message, 18)), got(ack("pubrec", 18)));
      events.push(sent(ack("pubrel", 18)), got(ack("pubcomp", 18)), connack(true));
      events.push(sent(ack("pubrel", 18)));
    },
  ],
  [
    "pubrel",
    "pubrel goes to a broker that forgot the message",
    ({ events }) => {
      events.push(sent(publish("session", makeSession(8).message, 18)), got(ack("pubrec", 18)));
      events.push(connack(false), sent(ack("pubrel", 18)));
    },
  ],
  [
    "pubrel",
    "publish goes out after pubrel",
    ({ events }) => {
      const { message } = makeSession(8);
      events.push(sent(publish("session", message, 18)), got(ack("pubrec", 18)));
      events.push(sent(ack("pubrel", 18)), connack(true));
      events.push(sent(publish("session", message, 18, true)));
    },
  ],
  [
    "dup",
    "a message goes out again without DUP",
    ({ events }) => {
      const { message } = makeSession(8);
      events.push(sent(publish("session", message, 18)), connack(true));
      events.push(sent(publish("session", message, 18)));
    },
  ],
  [
    "form",
    "a message is not what its topic says",
    ({ events, session }) => events.push(sent(publish("reading", session.message, 19))),
  ],
  [
    "form",
    "a message of a class that goes down",
    ({ events, first }) => events.push(sent(publish("receipt", first, 19))),
  ],
  [
    "form",
    "a reading that its session does not open",
    ({ events, first }) => {
      const bent = Buffer.from(first);
      bent[bent.length - 1] = (bent[bent.length - 1] as number) ^ 1;
      events.splice(7, 1, sent(publish("reading", bent, 11)));
    },
  ],
  [
    "foreign",
    "a reading is stored that nobody measured",
    ({ cloud }) => cloud.readings.push(storedAs(7, 3, 4000)),
  ],
  [
    "foreign",
    "a reading is stored otherwise than sent",
    ({ cloud }) => cloud.readings.splice(1, 1, storedAs(7, 2, 2152)),
  ],
  [
    "twice",
    "a measurement is stored twice",
    ({ cloud }) => cloud.readings.push(storedAs(7, 3, 2150)),
  ],
  [
    "order",
    "a session is stored in another order",
    ({ cloud, produced }) => {
      cloud.readings.push(storedAs(7, 3, 2152));
      produced.unshift(produced.pop() as GoodHistory["produced"][0]);
    },
  ],
  ["lost", "a receipted reading is gone", ({ cloud }) => cloud.readings.pop()],
  [
    "lost",
    "a receipted session is gone, as another has its counter",
    ({ cloud, session }) => {
      cloud.sessions = [{ ...session.stored, hash: Buffer.alloc(32) }];
    },
  ],
  [
    "missing",
    "a reading that had to arrive did not",
    (history) => {
      history.arrived = [0, 1, 2];
    },
  ],
  [
    "refused",
    "the cloud refused something",
    ({ cloud }) => {
      cloud.refused = { "session-unknown": 1 };
    },
  ],
];

describe("the history checker", () => {
  it("finds nothing in a good history", () => {
    expect(checkHistory(goodHistory())).toEqual([]);
  });

  it.each(DOCTORED)("%s: %s", (rule, _what, doctor) => {
    const history = goodHistory();
    doctor(history);
    // A measurement that is gone, or stored as another, is also missing.
    const broken = brokenBy(history);
    expect(broken).toContain(rule);
    const consequences = ["missing", "foreign"];
    expect(broken.filter((name) => name !== rule && !consequences.includes(name ?? ""))).toEqual(
      [],
    );
  });

  it("lets a forgetful broker be sent everything anew", () => {
    const history = goodHistory();
    const { message } = makeSession(8);
    history.events.push(sent(publish("session", message, 18)), got(ack("pubrec", 18)));
    history.events.push(sent(ack("pubrel", 18)), connack(false));
    history.events.push(sent(publish("session", message, 18)));
    expect(checkHistory(history)).toEqual([]);
  });

  it("lets a device go on after a boot, and answer for what it has forgotten", () => {
    const history = goodHistory();
    const { message } = makeSession(8);
    history.events.push(sent(publish("session", message, 18)), BOOT, connack(true));
    history.events.push(sent(publish("session", message, 18, true)));
    history.events.push(got(ack("pubrec", 40)), sent(ack("pubrel", 40)));
    expect(checkHistory(history)).toEqual([]);
  });

  it("lets a device answer each PUBREC, after PUBCOMP too, and release again at a reconnect", () => {
    const history = goodHistory();
    history.events.push(sent(publish("session", makeSession(8).message, 18)));
    history.events.push(got(ack("pubrec", 18)), got(ack("pubrec", 18)), sent(ack("pubrel", 18)));
    history.events.push(connack(true), sent(ack("pubrel", 18)), got(ack("pubrec", 18)));
    history.events.push(got(ack("pubcomp", 18)), sent(ack("pubrel", 18)));
    expect(checkHistory(history)).toEqual([]);
  });

  it("takes no receipt but the cloud's", () => {
    const history = goodHistory();
    const { session } = history;
    const forged = makeReceipt(makeSession(7), [session.stored.hash], [[7, 1, 200]]);
    history.events.push(got(publish("receipt", forged, 3)));
    history.events.push(got(publish("receipt", Buffer.from("d083"), 3)));
    expect(checkHistory(history)).toEqual([]);
    history.events.splice(6, 1, got(publish("receipt", forged, 1)));
    expect(brokenBy(history)).toEqual(["early"]);
  });

  it("refuses what the cloud may refuse only where that is said", () => {
    const history = goodHistory();
    history.cloud.refused = { "device-unknown": 1 };
    expect(brokenBy(history)).toEqual(["refused"]);
    history.mayRefuse = ["device-unknown"];
    expect(checkHistory(history)).toEqual([]);
  });
});
