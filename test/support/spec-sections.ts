/** The parts of SPEC.md that are made from the sources, between markers of their names. */
import {
  ACT,
  AWAIT_PUBACK,
  AWAIT_PUBCOMP,
  AWAIT_PUBREC,
  AWAIT_PUBREL,
  COLUMNS,
  ILLEGAL,
  INBOUND,
  NEXT,
  NONE,
  OUTBOUND,
  REPLY,
} from "../../firmware/mqtt/inflight.ts";
import { PUBACK, PUBCOMP, PUBREC, PUBREL } from "../../firmware/mqtt/packet.ts";
import { CLASSES, type MessageClass, TOPIC_PREFIX } from "../../protocol/topics.ts";
import { exampleText } from "./spec-example.ts";
import { provisioningText } from "./spec-provisioning.ts";

const PACKETS: Record<number, string> = {
  [PUBACK]: "PUBACK",
  [PUBREC]: "PUBREC",
  [PUBREL]: "PUBREL",
  [PUBCOMP]: "PUBCOMP",
};
const OUTBOUND_STATES: Record<number, string> = {
  [NONE]: "none",
  [AWAIT_PUBACK]: "await PUBACK",
  [AWAIT_PUBREC]: "await PUBREC",
  [AWAIT_PUBCOMP]: "await PUBCOMP",
};
const INBOUND_STATES: Record<number, string> = { [NONE]: "none", [AWAIT_PUBREL]: "await PUBREL" };

function table(heads: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

function classesText(): string {
  const names = Object.keys(CLASSES) as MessageClass[];
  return table(
    ["class", "topic", "direction", "QoS", "longest message"],
    names.map((name) => {
      const { up, qos, limit } = CLASSES[name];
      return [
        `\`${name}\``,
        `\`${TOPIC_PREFIX}/<kid>/${name}\``,
        up ? "up" : "down",
        name === "reading" ? "0 or 1, as its sensor says" : String(qos),
        `${limit} bytes`,
      ];
    }),
  );
}

/** What one cell says: the reply, what the application is told, the next state. */
function moveText(cell: number, states: Record<number, string>, act: string): string {
  if (cell === ILLEGAL) return "illegal";
  const parts = [];
  if (cell & ACT) parts.push(act);
  if (cell & REPLY) parts.push(`send ${PACKETS[cell & REPLY]}`);
  return `${[...parts, states[cell & NEXT]].join(", ")}`;
}

function movesText(
  heads: string[],
  cells: string,
  states: Record<number, string>,
  act: string,
): string {
  const rows = [];
  for (let at = 0; at < cells.length; at += COLUMNS) {
    const row = [...Buffer.from(cells.slice(at, at + COLUMNS), "latin1")];
    const state = states[rows.length * 16] as string;
    rows.push([state, ...row.map((cell) => moveText(cell, states, act))]);
  }
  return table(heads, rows);
}

function qosText(): string {
  return [
    "Messages of the device; a cell says what it does and the next state:",
    "",
    movesText(["state", "PUBACK", "PUBREC", "PUBCOMP"], OUTBOUND, OUTBOUND_STATES, "**done**"),
    "",
    "Messages to the device:",
    "",
    movesText(
      ["state", "PUBLISH, QoS 1", "PUBLISH, QoS 2", "PUBREL"],
      INBOUND,
      INBOUND_STATES,
      "**act**",
    ),
  ].join("\n");
}

const SECTIONS: Record<string, () => string> = {
  classes: classesText,
  qos: qosText,
  example: exampleText,
  provisioning: provisioningText,
};

/** The document with every marked part made anew. Throws when a marker is missing. */
export function renderSpec(document: string): string {
  let text = document;
  for (const [name, make] of Object.entries(SECTIONS)) {
    const [begin, end] = [`<!-- made: ${name} -->\n`, `<!-- end: ${name} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < from)
      throw new Error(`SPEC.md, expected the markers of ${name}, got none`);
    text = `${text.slice(0, from + begin.length)}\n${make()}\n\n${text.slice(to)}`;
  }
  return text;
}
