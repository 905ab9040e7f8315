/** Says of one captured message what it is and which of its layers hold. */
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { CLASSES, type MessageClass, parseTopic } from "../../protocol/topics.ts";
import { type Item, readTree, type Tree } from "./cbor-tree.ts";
import { INSPECTORS } from "./classes.ts";
import type { Evidence } from "./evidence.ts";
import { attempt, type Content, fails, holds, type Layer, lacks } from "./layers.ts";
import type { Judge } from "./subject.ts";

/** Longest message that is looked at: sixteen times the profile's longest. */
export const MAX_MESSAGE = 65536;

export interface Report {
  bytes: number;
  topic?: string;
  messageClass?: MessageClass;
  /** The message as a tree; undefined when it is not CBOR. */
  item?: Item;
  layers: Layer[];
  content?: Content;
}

export interface InspectOptions {
  /** The topic it came on. */
  topic?: string | undefined;
  /** Its class, where no topic says it. */
  messageClass?: MessageClass | undefined;
  prefix: string;
}

/** What the topic or the option says of the message, before its bytes are looked at. */
interface Claim {
  topicKid?: Bytes;
  messageClass?: MessageClass;
  layer?: Layer;
}

function claimOf({ topic, messageClass, prefix }: InspectOptions): Claim {
  if (topic === undefined) {
    if (messageClass === undefined) return {};
    return { messageClass, layer: holds("class", `${messageClass}, as you say`) };
  }
  const parsed = attempt("class", () => parseTopic(prefix, topic));
  if ("failed" in parsed) return { layer: parsed.failed };
  const { kid, messageClass: named } = parsed.value;
  if (messageClass !== undefined && messageClass !== named)
    return { layer: fails("class", "topic", `class, expected ${messageClass}, got ${named}`) };
  return {
    topicKid: kid,
    messageClass: named,
    layer: holds("class", `${named}, by the topic; device ${toHex(kid)}`),
  };
}

interface Reading {
  messageClass?: MessageClass;
  judge?: Judge;
  form: Layer;
}

/** Strict CBOR of the profile's form and size, as one class has it. */
function readAs(
  evidence: Evidence,
  message: Bytes,
  loose: string | undefined,
  messageClass: MessageClass,
): Reading {
  const { limit } = CLASSES[messageClass];
  if (message.length > limit)
    return {
      messageClass,
      form: fails(
        "form",
        "size",
        `${messageClass}, expected at most ${limit} bytes, got ${message.length}`,
      ),
    };
  if (loose !== undefined)
    return { messageClass, form: fails("form", "cbor", `CBOR, expected deterministic, ${loose}`) };
  const parsed = attempt("form", () => INSPECTORS[messageClass](evidence, message));
  if ("failed" in parsed) return { messageClass, form: parsed.failed };
  const size = `${message.length} of at most ${limit} bytes`;
  return { messageClass, judge: parsed.value, form: holds("form", `strict CBOR, ${size}`) };
}

/** The first class whose form the message has; without one, what the likeliest class says of it. */
function guess(evidence: Evidence, message: Bytes, loose: string | undefined): Reading {
  const classes = Object.keys(CLASSES) as MessageClass[];
  const readings = classes.map((name) => readAs(evidence, message, loose, name));
  const fitting = readings.find(({ judge }) => judge !== undefined);
  if (fitting !== undefined) return fitting;
  // "profile" is said of the first bytes already: any other code comes from further in.
  const nearest = readings.find(({ form }) => form.code !== "profile") ?? readings[0];
  const { form, messageClass } = nearest as Reading;
  return { form: { ...form, text: `as ${messageClass}: ${form.text}` } };
}

function classLayer(claim: Claim, { messageClass, judge }: Reading): Layer {
  if (claim.layer !== undefined) return claim.layer;
  if (judge === undefined)
    return lacks("class", "no class has this form; --topic or --class says which to expect");
  return holds("class", `${messageClass}, guessed from the form`);
}

async function judgeTree(
  { item, loose }: Tree,
  message: Bytes,
  claim: Claim,
  evidence: Evidence,
): Promise<Omit<Report, "bytes" | "topic">> {
  const reading =
    claim.messageClass === undefined
      ? guess(evidence, message, loose)
      : readAs(evidence, message, loose, claim.messageClass);
  const { messageClass, judge, form } = reading;
  const first = [form, classLayer(claim, reading)];
  const known = { item, ...(messageClass === undefined ? {} : { messageClass }) };
  if (judge === undefined) return { ...known, layers: first };
  const { layers, ...rest } = await judge({ topicKid: claim.topicKid }, evidence);
  return { ...known, layers: [...first, ...layers], ...rest };
}

/** Never throws for what a message contains: that is the report. */
export async function inspectMessage(
  message: Bytes,
  options: InspectOptions,
  evidence: Evidence,
): Promise<Report> {
  const { topic } = options;
  const start = { bytes: message.length, ...(topic === undefined ? {} : { topic }) };
  const claim = claimOf(options);
  if (message.length > MAX_MESSAGE) {
    const text = `message, expected at most ${MAX_MESSAGE} bytes, got ${message.length}`;
    return { ...start, layers: [fails("form", "size", text)] };
  }
  const tree = attempt("form", () => readTree(message));
  if ("failed" in tree)
    return { ...start, layers: [tree.failed, ...(claim.layer ? [claim.layer] : [])] };
  return { ...start, ...(await judgeTree(tree.value, message, claim, evidence)) };
}

export function isSound({ layers }: Report): boolean {
  return layers.every(({ verdict }) => verdict !== "fail");
}
