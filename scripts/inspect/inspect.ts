/** Says of one captured message what it is and which of its layers hold. */
import { type Bytes, toHex } from "../../protocol/bytes.ts";
import { CLASSES, type MessageClass, parseTopic } from "../../protocol/topics.ts";
import { type Item, readTree, type Tree } from "./cbor-tree.ts";
import { INSPECTORS, type Inspectors } from "./classes.ts";
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
  /** Another table of classes than the one of this version. */
  inspectors?: Inspectors;
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
  /** The classes that the message may be of. */
  classes: MessageClass[];
  judge?: Judge;
  form: Layer;
}

/** The parts of a question that stay the same for every class. */
interface Question {
  evidence: Evidence;
  message: Bytes;
  /** Where it is not deterministic CBOR. */
  loose: string | undefined;
  inspectors: Inspectors;
  item: Item;
}

/** Strict CBOR of the profile's form and size, as one class has it. */
function readAs({ evidence, message, loose, inspectors }: Question, name: MessageClass): Reading {
  const classes = [name];
  const { limit } = CLASSES[name];
  const { length } = message;
  if (length > limit)
    return {
      classes,
      form: fails("form", "size", `${name}, expected at most ${limit} bytes, got ${length}`),
    };
  if (loose !== undefined)
    return { classes, form: fails("form", "cbor", `CBOR, expected deterministic, ${loose}`) };
  const inspector = inspectors[name];
  const form = holds("form", `strict CBOR, ${length} of at most ${limit} bytes`);
  if (inspector === undefined) return { classes, form };
  const parsed = attempt("form", () => inspector(evidence, message));
  return "failed" in parsed
    ? { classes, form: parsed.failed }
    : { classes, judge: parsed.value, form };
}

/** Of several classes with one form, the one for which the message is signed. */
async function chooseSigned(fitting: Reading[], evidence: Evidence): Promise<Reading | undefined> {
  for (const reading of fitting) {
    const judgement = await reading.judge?.({ topicKid: undefined }, evidence);
    const signature = judgement?.layers.find(({ layer }) => layer === "signature");
    if (signature?.verdict === "ok") return reading;
  }
  return undefined;
}

/** The class that an Encrypt0 of a wrong form looks like: with an IV beside its header it is a receipt. */
function likeness(item: Item): MessageClass | undefined {
  if (!("tag" in item) || item.tag !== 16n || !("array" in item.of)) return undefined;
  const unprotected = item.of.array[1];
  const hasIv = unprotected !== undefined && "map" in unprotected && unprotected.map.length > 0;
  return hasIv ? "receipt" : "reading";
}

/** The class whose form the message has; without one, what the likeliest class says of it. */
async function guess(question: Question): Promise<Reading> {
  const names = Object.keys(question.inspectors) as MessageClass[];
  const readings = names.map((name) => readAs(question, name));
  const fitting = readings.filter(({ judge }) => judge !== undefined);
  const [first, ...others] = fitting;
  if (first !== undefined) {
    const chosen = others.length > 0 ? await chooseSigned(fitting, question.evidence) : first;
    return chosen ?? { form: first.form, classes: fitting.flatMap(({ classes }) => classes) };
  }
  const alike = likeness(question.item);
  // "profile" is said of the first bytes already: any other code comes from further in.
  const nearest =
    readings.find(({ classes }) => classes[0] === alike) ??
    readings.find(({ form }) => form.code !== "profile") ??
    readings[0];
  const { form, classes } = nearest as Reading;
  return { classes: [], form: { ...form, text: `as ${classes}: ${form.text}` } };
}

const ASK = "--topic or --class says which to expect";

function classLayer(claim: Claim, { classes, judge }: Reading): Layer {
  if (claim.layer !== undefined) return claim.layer;
  if (judge !== undefined) return holds("class", `${classes}, guessed from the form`);
  if (classes.length === 0) return lacks("class", `no class has this form; ${ASK}`);
  return lacks("class", `${classes.join(" or ")} by its form; ${ASK}`);
}

async function judgeTree(
  { item, loose }: Tree,
  message: Bytes,
  claim: Claim,
  evidence: Evidence,
  inspectors: Inspectors,
): Promise<Omit<Report, "bytes" | "topic">> {
  const question = { evidence, message, loose, inspectors, item };
  const reading =
    claim.messageClass === undefined ? await guess(question) : readAs(question, claim.messageClass);
  const { classes, judge, form } = reading;
  const [messageClass, ...others] = classes;
  const first = [form, classLayer(claim, reading)];
  const known = {
    item,
    ...(messageClass === undefined || others.length > 0 ? {} : { messageClass }),
  };
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
  const { topic, inspectors = INSPECTORS } = options;
  const start = { bytes: message.length, ...(topic === undefined ? {} : { topic }) };
  const claim = claimOf(options);
  if (message.length > MAX_MESSAGE) {
    const text = `message, expected at most ${MAX_MESSAGE} bytes, got ${message.length}`;
    return { ...start, layers: [fails("form", "size", text)] };
  }
  const tree = attempt("form", () => readTree(message));
  if ("failed" in tree)
    return { ...start, layers: [tree.failed, ...(claim.layer ? [claim.layer] : [])] };
  return { ...start, ...(await judgeTree(tree.value, message, claim, evidence, inspectors)) };
}

export function isSound({ layers }: Report): boolean {
  return layers.every(({ verdict }) => verdict !== "fail");
}
