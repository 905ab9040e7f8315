/** A report as people and as programs read it. */
import { printable } from "../cli/output.ts";
import { printItem } from "./diagnostic.ts";
import { isSound, type Report } from "./inspect.ts";
import type { Content, Layer } from "./layers.ts";

const LAYER_WIDTH = "session key".length;
const VERDICT_WIDTH = "unknown".length;
/** Colours of a terminal: green, red, yellow. */
const COLOURS = { ok: 32, fail: 31, unknown: 33 } as const;

function layerLine({ layer, verdict, code, text }: Layer, colour: boolean): string {
  const word = verdict.padEnd(VERDICT_WIDTH);
  const shown = colour ? `\u001b[${COLOURS[verdict]}m${word}\u001b[0m` : word;
  const reason = code === undefined ? "" : `${code}: `;
  return `${layer.padEnd(LAYER_WIDTH)}  ${shown}  ${printable(reason + text)}`;
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return "none";
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}

/** A name and its value on a line; of a list, an element on a line. */
function contentLines(content: Content): string[] {
  return Object.entries(content).flatMap(([name, value]) =>
    Array.isArray(value) && value.length > 0
      ? [`  ${name}:`, ...value.map((one) => `    ${valueText(one)}`)]
      : [`  ${name}: ${valueText(value)}`],
  );
}

export interface PrintOptions {
  /** Byte strings whole. */
  full: boolean;
  colour: boolean;
}

export function reportText(report: Report, { full, colour }: PrintOptions): string {
  const { bytes, topic, item, layers, content } = report;
  const from = topic === undefined ? "" : ` on ${printable(topic)}`;
  return [
    `message of ${bytes} bytes${from}`,
    ...(item === undefined ? [] : ["", printItem(item, full)]),
    "",
    ...layers.map((layer) => layerLine(layer, colour)),
    ...(content === undefined ? [] : ["", "opened:", ...contentLines(content)]),
    "",
  ].join("\n");
}

/** One line. */
export function reportJson(report: Report, full: boolean): string {
  const { bytes, topic, messageClass, item, layers, content } = report;
  return JSON.stringify({
    topic,
    class: messageClass,
    bytes,
    sound: isSound(report),
    diagnostic: item && printItem(item, full),
    layers,
    content,
  });
}
