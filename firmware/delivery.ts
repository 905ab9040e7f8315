/**
 * From a sealed reading to the cloud's word that it is stored, its receipt: PUBCOMP and PUBACK are a
 * broker's. Signed messages, and readings that wait long, outlive a power cut.
 */
import type { Bytes } from "../protocol/bytes.ts";
import { parseRandomIvEncrypt0 } from "../protocol/cose/encrypt0.ts";
import { openReceipt } from "../protocol/receipt.ts";
import type { MessageClass } from "../protocol/topics.ts";
import type { QueueConfig } from "./config.ts";
import { createEventList } from "./event-list.ts";
import type { Losses } from "./losses.ts";
import type { Kept } from "./mqtt/options.ts";
import { createOutbox } from "./outbox.ts";
import {
  ACKNOWLEDGED,
  earliestTaken,
  IN_FLIGHT,
  type Outgoing,
  type Publish,
  rewind,
  WAITING,
} from "./outgoing.ts";
import { createRepeat, RECEIPT_SECONDS, REPEATS_BEFORE_REKEY } from "./repeat.ts";
import { isSpent, REKEY_SECONDS, type Session, type SessionKeys } from "./session.ts";
import {
  type AtSleep,
  createSessionList,
  type Resume,
  type SessionListOptions,
  type SleepNote,
} from "./session-list.ts";
import { type Signed, writeSigned } from "./signed-records.ts";

/** A reading that has waited this long for its receipt is moved to flash. */
const SPILL_SECONDS = 60;
/** Between two looks at what waits in memory. */
const LEAST_SPILL_SECONDS = 1;

export interface DeliveryOptions extends SessionListOptions {
  publish: Publish;
  queue: QueueConfig;
  losses: Losses;
  /** Seconds before the first repeat; 0 takes the default. */
  receiptSeconds: number;
  /** Seconds until a session is followed by a new one; 0 takes the default. */
  rekeySeconds: number;
  /** No receipt has come for long: what waits for one goes out again right after this. */
  onUnheard: () => void;
}

export function createDelivery(options: DeliveryOptions) {
  const crypto = options.crypto;
  const clock = options.clock;
  const queue = options.queue;
  const losses = options.losses;
  const firstWait = options.receiptSeconds || RECEIPT_SECONDS;
  const rekeySeconds = options.rekeySeconds || REKEY_SECONDS;
  const spillSeconds = queue.spillSeconds === undefined ? SPILL_SECONDS : queue.spillSeconds;
  const sessions = createSessionList(options);
  const events = createEventList(options);
  const outbox = createOutbox({
    ring: crypto,
    log: options.log,
    losses: losses,
    readings: queue.readings,
    flash: queue.flash || 0,
    sessionOf: sessions.find,
  });
  /** The last reading that tells of lost ones, and how many, until a receipt lists it. */
  let telling: { kid: Bytes; sequence: number; count: number } | undefined;
  let spillTimer = 0;
  /** Unix seconds of the latest receipt, and what they make of the moment of boot. */
  let latest = 0;
  let bootTime: number | undefined;

  /** What MQTT notes of a signed message goes to its record first. */
  function keptOf(item: Signed): Kept {
    return {
      packetId: item.packetId,
      phase: item.phase,
      keep(phase) {
        item.phase = phase;
        // A receipt may be faster than PUBREC: its place may be another message's by now.
        if (item.record) writeSigned(crypto, item);
      },
    };
  }

  /** False when MQTT does not take it now. */
  function send(messageClass: MessageClass, item: Outgoing, kept: Kept | undefined): boolean {
    item.state = IN_FLIGHT;
    let taken = false;
    try {
      taken = options.publish(
        messageClass,
        item.message,
        item.qos,
        function () {
          item.state = ACKNOWLEDGED;
          item.takenAt = clock.uptime();
          if (item.qos === 0) outbox.remove(item);
          repeat.arm();
        },
        kept,
      );
    } catch (error) {
      options.log(messageClass + " not sent: " + (error as Error).message);
    }
    if (!taken) item.state = WAITING;
    return taken;
  }

  /** The newest session first: receipts come under the newest that the cloud knows. */
  function nextSigned(): Signed | undefined {
    const waiting = sessions.all().filter((s) => s.state === WAITING && !s.receipted);
    return waiting[waiting.length - 1] || events.all().filter((e) => e.state === WAITING)[0];
  }

  /** Hands MQTT what may go out, signed messages first, until it takes no more. */
  function pump(): void {
    let taken = true;
    while (taken) {
      const signed = nextSigned();
      const reading = signed ? undefined : outbox.next();
      if (signed) {
        signed.phase = 0;
        taken = send(signed.messageClass, signed, keptOf(signed));
      } else taken = reading !== undefined && send("reading", reading, undefined);
    }
    repeat.arm();
  }

  function again(repeats: number): void {
    options.log("no receipt, sending again (" + repeats + ")");
    options.onUnheard();
    // What was taken a moment ago is not late: only its elders are.
    const before = clock.uptime() - firstWait / 2;
    sessions.rewind(before, outbox);
    events.all().forEach(function (event) {
      rewind(event, before);
    });
    outbox.rewind(before);
    if (repeats === REPEATS_BEFORE_REKEY) sessions.open(outbox);
    pump();
  }

  const repeat = createRepeat({
    clock: clock,
    random: crypto.generateRandom,
    firstWait: firstWait,
    waitingSince: () =>
      Math.min(
        outbox.waitingSince(),
        earliestTaken(sessions.all().filter((session) => !session.receipted)),
        earliestTaken(events.all()),
      ),
    onRepeat: again,
  });

  function armSpill(): void {
    const since = outbox.oldestInMemory();
    if (spillTimer !== 0 || since === Infinity) return;
    // At least that long: flash that fails, and a clock that rounds, must not make a busy loop.
    const wait = Math.max(LEAST_SPILL_SECONDS, since + spillSeconds - clock.uptime());
    spillTimer = clock.setTimeout(spill, wait * 1000);
  }

  /** Moves to flash what has waited for long, now and whenever more has. */
  function spill(): void {
    spillTimer = 0;
    outbox.spill(clock.uptime() - spillSeconds);
    armSpill();
  }

  return {
    /** The first call: goes on with what was kept over a power cut, or sleep. */
    start(resume?: Resume): AtSleep {
      const note = resume && resume(crypto, options.identity, sessions.newest());
      if (note && note.wakeAt) bootTime = note.wakeAt;
      if (note && note.isResumed) options.onSession(sessions.newest().receipted);
      else {
        sessions.forgetUnused(outbox);
        sessions.open(outbox);
      }
      (sessions.all() as Signed[]).concat(events.all()).forEach(function (item) {
        if (item.state === IN_FLIGHT) send(item.messageClass, item, keptOf(item));
      });
      return { outbox: outbox, events: events.all, note: note as SleepNote };
    },

    /**
     * Opens a new session: the next reading is sealed under it. False while the newest has
     * no receipt, unless `always`: a few are kept at most, and the oldest would go with its
     * readings.
     */
    rekey(always?: boolean): boolean {
      if (!always && !sessions.newest().receipted) return false;
      sessions.open(outbox);
      pump();
      return true;
    },
    pump: pump,

    /** Unix seconds, where a receipt has told, before a sleep perhaps; undefined before. */
    time(): number | undefined {
      return bootTime === undefined ? undefined : Math.floor(bootTime + clock.uptime());
    },

    losses: losses,
    /** Readings that wait for their receipt. */
    queued: outbox.length,
    spill: outbox.spill,
    /** The session that seals, and all whose message is kept, it included. */
    newest: sessions.newest,
    sessions: sessions.all,

    /**
     * Seals a payload under the newest session and queues it. False when the queue is
     * full and `drop` is "newest": nothing is sealed then, and it is counted as dropped.
     * `told`: how many lost readings the payload tells of, where it does.
     */
    accept(payload: Bytes, qos: 0 | 1, drop: "oldest" | "newest", told?: number): boolean {
      if (outbox.isFull()) {
        options.log("queue full, " + drop + " reading dropped");
        if (drop === "newest") {
          losses.readings++;
          return false;
        }
      }
      let session = sessions.newest();
      if (isSpent(session, clock.uptime(), rekeySeconds, sessions.all().length))
        session = sessions.open(outbox);
      const keys = session.keys as SessionKeys;
      const sequence = crypto.reserveSequence(keys.key);
      session.lastSequence = sequence;
      if (told) telling = { kid: session.kid, sequence: sequence, count: told };
      outbox.push({
        session: session,
        sequence: sequence,
        qos: qos,
        message: keys.seal(sequence, payload),
        state: WAITING,
        takenAt: 0,
        since: clock.uptime(),
        settled: false,
      });
      if (spillSeconds === 0) outbox.spill(Infinity);
      armSpill();
      pump();
      return true;
    },

    /** Keeps a reply under its counter and hash, and sends it until a receipt lists it. */
    reply(kid: Bytes, hash: Bytes, message: Bytes): void {
      events.reply(kid, hash, message);
      pump();
    },

    /** Signs and seals a SenML pack as an event. */
    event(pack: Bytes): void {
      events.add(pack);
      pump();
    },

    /**
     * Takes a receipt; anything else throws and changes nothing. What may go out now waits
     * for pump, which MQTT calls once its reply is written: the stack is small. Gives the
     * time of the latest receipt, 0 before the first.
     */
    receipt(message: Bytes): number {
      const parsed = parseRandomIvEncrypt0(message);
      const session: Session | undefined = sessions.find(parsed.sessionKid);
      const keys = session && session.keys;
      // Of a session before this boot, perhaps: what it lists is receipted again.
      if (!keys) return latest;
      const receipt = openReceipt(crypto, keys.receiptKey, options.identity.thumbprint, parsed);
      const uptime = clock.uptime();
      // The latest word counts; an old receipt that comes again tells an old time.
      if (receipt.time > latest) {
        latest = receipt.time;
        bootTime = latest - uptime;
      }
      let settled = sessions.settle(receipt.messages);
      if (events.settle(receipt.messages)) settled = true;
      receipt.readings.forEach(function (range) {
        if (outbox.settle(range, uptime)) settled = true;
        if (!telling || telling.kid !== range.sessionKid) return;
        if (telling.sequence < range.first || telling.sequence > range.last) return;
        losses.told = telling.count;
        telling = undefined;
      });
      if (settled) {
        repeat.settled();
        sessions.prune(outbox);
      }
      return latest;
    },
  };
}
export type Delivery = ReturnType<typeof createDelivery>;
