import type { CoseflowError } from "../../protocol/errors.ts";

/** "unknown": it cannot be judged with what is at hand; the text says what is missing. */
export type Verdict = "ok" | "fail" | "unknown";

export type LayerName =
  | "form"
  | "class"
  | "key id"
  | "certificate"
  | "signature"
  | "recipient"
  | "session key"
  | "content"
  | "sequence";

/** What is said of one layer of a message. */
export interface Layer {
  layer: LayerName;
  verdict: Verdict;
  /** Of a failure: a code of protocol/errors.ts, or a reason of the receiver's. */
  code?: string;
  text: string;
}

export function holds(layer: LayerName, text: string): Layer {
  return { layer, verdict: "ok", text };
}

export function fails(layer: LayerName, code: string, text: string): Layer {
  return { layer, verdict: "fail", code, text };
}

export function lacks(layer: LayerName, text: string): Layer {
  return { layer, verdict: "unknown", text };
}

/** The code and sentence of what the protocol threw. A fault of ours is thrown on. */
export function refusalOf(error: unknown): { code: string; text: string } {
  const { code, message } = error as Partial<CoseflowError>;
  if (typeof code !== "string" || message === undefined) throw error;
  return { code, text: message };
}

/** A step's result, or the layer that fails with what the step threw. */
export function attempt<T>(layer: LayerName, step: () => T): { value: T } | { failed: Layer } {
  try {
    return { value: step() };
  } catch (error) {
    const { code, text } = refusalOf(error);
    return { failed: fails(layer, code, text) };
  }
}

/** What is shown of an opened message: names and values, nothing secret among them. */
export type Content = Record<string, unknown>;

/** What the judge of a class says of a message. */
export interface Judgement {
  layers: Layer[];
  content?: Content;
}
