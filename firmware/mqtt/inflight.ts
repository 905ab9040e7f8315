import { type Bytes, chars } from "../../protocol/bytes.ts";
import { fail } from "../../protocol/errors.ts";
import { PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL } from "./packet.ts";

/**
 * What MQTT 3.1.1 section 4.3 does with one QoS 1 or 2 message, as two tables of three
 * columns. A cell is one character, row after row: a list of lists would cost a device
 * ten times as much. It is a sum of at most three parts, or ILLEGAL:
 *
 *   the next state   (cell & NEXT)
 *   the reply's type (cell & REPLY), 0 for none
 *   ACT              the application is told: its message is acknowledged, or has come
 */

/** States; NONE is a packet id that is not in flight. */
export const NONE = 0;
/** Outbound, QoS 1: PUBLISH sent. */
export const AWAIT_PUBACK = 16;
/** Outbound, QoS 2: PUBLISH sent. */
export const AWAIT_PUBREC = 32;
/** Outbound, QoS 2: PUBREL sent; the server owns the message. */
export const AWAIT_PUBCOMP = 48;
/** Inbound, QoS 2: acted on, PUBREC sent; the same packet id is a repetition. */
export const AWAIT_PUBREL = 16;

export const NEXT = 48;
export const REPLY = 15;
export const ACT = 64;
/** A move the standard does not have: the server is wrong and the connection ends. */
export const ILLEGAL = 255;

export const COLUMNS = 3;

/**
 * Outbound: rows are states (divided by 16), columns are what the server sends.
 * Legal though unexpected: an acknowledgement of a message no longer known, after
 * a restart of either side (a PUBREC is then answered, so that the server can
 * finish), and a PUBREC again, whose PUBREL was lost.
 */
// biome-ignore format: a line is a row
export const OUTBOUND = chars(
  // PUBACK, PUBREC, PUBCOMP
  NONE, NONE + PUBREL, NONE, // NONE
  NONE + ACT, ILLEGAL, ILLEGAL, // AWAIT_PUBACK
  ILLEGAL, AWAIT_PUBCOMP + PUBREL, ILLEGAL, // AWAIT_PUBREC
  ILLEGAL, AWAIT_PUBCOMP + PUBREL, NONE + ACT, // AWAIT_PUBCOMP
) as Bytes;

/**
 * Inbound: rows are states (divided by 16), columns are what the server sends.
 * The application acts before the PUBREC, once, however often the PUBLISH comes
 * (section 4.3.3, method B: the id is kept until PUBREL). A PUBREL of
 * an unknown id is answered: the PUBCOMP before it was lost. A packet id cannot be
 * a QoS 1 and a QoS 2 message at once (MQTT-2.3.1-4): the broker, whose ids these are,
 * has given up the one of QoS 2. Refusing the other would end every connection to come.
 */
// biome-ignore format: a line is a row
export const INBOUND = chars(
  // PUBLISH of QoS 1, PUBLISH of QoS 2, PUBREL
  NONE + PUBACK + ACT, AWAIT_PUBREL + PUBREC + ACT, NONE + PUBCOMP, // NONE
  NONE + PUBACK + ACT, AWAIT_PUBREL + PUBREC, NONE + PUBCOMP, // AWAIT_PUBREL
) as Bytes;

/**
 * The cell of a table for what the server sends, `qos` that of a PUBLISH; "form" when
 * the move is illegal.
 */
export function findMove(table: Bytes, state: number, type: number, qos: number): number {
  const isLast = type === PUBCOMP || type === PUBREL;
  const column = isLast ? 2 : type === PUBLISH ? qos - 1 : type - PUBACK;
  const cell = table.charCodeAt((state >> 4) * COLUMNS + column);
  // NaN for a row that is not there.
  if (!(column >= 0 && column < COLUMNS && cell < ILLEGAL))
    fail("form", `mqtt packet, expected a legal move from state ${state}, got type ${type}`);
  return cell;
}
