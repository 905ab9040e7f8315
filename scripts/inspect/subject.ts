import type { Bytes } from "../../protocol/bytes.ts";
import type { Evidence } from "./evidence.ts";
import type { Judgement } from "./layers.ts";

/** What is known of a message beside its bytes. */
export interface Subject {
  /** Key id of the topic it came on; undefined without a topic. */
  topicKid: Bytes | undefined;
}

/** Judges one message that was taken apart, layer by layer. */
export type Judge = (subject: Subject, evidence: Evidence) => Promise<Judgement>;

/** Takes a message of one class apart; throws what the protocol throws for another form. */
export type Inspector = (evidence: Evidence, message: Bytes) => Judge;
