/**
 * SenML-CBOR (RFC 8428 section 6) as this profile uses it: a pack of records
 * {0: name, 1: unit, 2: number} or {0: name, 4: boolean}, the first with
 * base time (-3, Unix seconds) where the device knows the time. Numbers are
 * integers or decimal fractions (tag 4), never floating point: Espruino misreads
 * many decimals in the last place.
 */
import type { Bytes } from "./bytes.ts";
import { ARRAY, cborHead, cborInt, cborText, MAP, NEGATIVE, TAG, UNSIGNED } from "./cbor.ts";
import { createReader, type Reader, readBoolean, readInt, readText } from "./cbor-reader.ts";
import { fail } from "./errors.ts";

/** Most records of one pack: a pack fits the 1 KiB of a reading with room to spare. */
export const MAX_RECORDS = 16;

/** Exponents beyond this are no measurement and would overflow a double's exact range. */
const MAX_EXPONENT = 18;

/** A quantity measured again and again: its value is an integer times 10^exponent. */
export interface Quantity {
  /** ASCII, relative: the cloud prepends the device's base name. */
  name: string;
  /** SenML unit (IANA registry), such as "Cel". */
  unit: string;
  exponent: number;
}

/** A record after its map head, up to the number: made once, ready for every reading. */
export function senmlRecordStart(name: string, unit: string): string {
  return "\x00" + cborText(name) + "\x01" + cborText(unit) + "\x02";
}

/** SenML times below this count from now (RFC 8428 section 4.5.3); a device sends none. */
const FIRST_TIME = 268435456;
/** The end of the year 9999: what every calendar can still write down. */
const LAST_TIME = 253402300799;

/** Name of the record that counts seconds since boot while the device has no time. */
export const UPTIME = "uptime";
/** Name of the record that counts readings dropped from a full queue. */
export const DROPPED = "dropped";

/**
 * When a pack was measured: `time` in Unix seconds where known, seconds since boot otherwise.
 * Without either the cloud takes the time of its arrival.
 */
export interface Instant {
  time: number | undefined;
  uptime: number | undefined;
}

/** Makes the packs of one sensor from its values, one integer a quantity, in order. */
export function createSenmlMaker(quantities: Quantity[]) {
  const starts: string[] = [];
  for (let i = 0; i < quantities.length; i++) {
    const quantity = quantities[i] as Quantity;
    starts.push(senmlRecordStart(quantity.name, quantity.unit));
  }
  const uptimeRecord = "\xa3" + senmlRecordStart(UPTIME, "s");
  const droppedRecord = "\xa3" + senmlRecordStart(DROPPED, "count");

  return function makeSenml(values: number[], instant: Instant, dropped: number): Bytes {
    const dated = instant.time !== undefined;
    let count = values.length;
    let records = "";
    for (let i = 0; i < values.length; i++) {
      const exponent = (quantities[i] as Quantity).exponent;
      const mantissa = cborInt(values[i] as number);
      // A plain integer, or a decimal fraction in tag 4.
      const number = exponent === 0 ? mantissa : "\xc4\x82" + cborInt(exponent) + mantissa;
      records +=
        i === 0 && dated
          ? "\xa4" + starts[i] + number + "\x22" + cborInt(instant.time as number)
          : "\xa3" + starts[i] + number;
    }
    if (!dated && instant.uptime !== undefined) {
      records += uptimeRecord + cborInt(instant.uptime);
      count++;
    }
    if (dropped > 0) {
      records += droppedRecord + cborInt(dropped);
      count++;
    }
    return (cborHead(ARRAY, count) + records) as Bytes;
  };
}

export interface SenmlRecord {
  /** UTF-8 bytes. */
  name: Bytes;
  unit: Bytes | undefined;
  value: number | boolean;
  /** Unix seconds; undefined when the pack carries no time. */
  time: number | undefined;
}

function readNumber(reader: Reader): number {
  const type = reader.peek() >> 5;
  if (type === UNSIGNED || type === NEGATIVE) return readInt(reader);
  const tag = reader.head(TAG);
  if (tag !== 4) fail("form", "SenML number, expected an integer or tag 4, got tag " + tag);
  reader.exactly("\x82", "decimal fraction");
  const exponent = readInt(reader);
  const mantissa = readInt(reader);
  if (exponent === 0 || exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT)
    fail("form", "decimal fraction, expected an exponent within 18 but not 0, got " + exponent);
  // Division by an exact power of ten rounds once; a product with 10^-n would round twice.
  return exponent < 0 ? mantissa / Math.pow(10, -exponent) : mantissa * Math.pow(10, exponent);
}

function readRecord(reader: Reader, first: boolean, baseTime: number | undefined): SenmlRecord {
  let fields = reader.head(MAP);
  reader.exactly("\x00", "SenML record");
  const name = readText(reader);
  let unit: Bytes | undefined;
  let label = readInt(reader);
  if (label === 1) {
    unit = readText(reader);
    label = readInt(reader);
    fields--;
  }
  if (label !== 2 && label !== 4)
    fail("form", "SenML record, expected a value (2 or 4), got label " + label);
  const value = label === 2 ? readNumber(reader) : readBoolean(reader);
  let time = baseTime;
  if (fields === 3 && first) {
    reader.exactly("\x22", "SenML record");
    time = readInt(reader);
    if (time < FIRST_TIME || time > LAST_TIME)
      fail("form", "SenML base time, expected Unix seconds up to the year 9999, got " + time);
    fields--;
  }
  if (fields !== 2)
    fail("form", "SenML record, expected name, unit, value and in the first a base time");
  return { name: name, unit: unit, value: value, time: time };
}

/** Reads a pack of at least one record, the base time resolved into each. */
export function parseSenml(payload: Bytes): SenmlRecord[] {
  const reader = createReader(payload);
  const count = reader.head(ARRAY);
  if (count < 1 || count > MAX_RECORDS)
    fail("size", "SenML pack, expected 1 to " + MAX_RECORDS + " records, got " + count);
  const records: SenmlRecord[] = [];
  let baseTime: number | undefined;
  for (let i = 0; i < count; i++) {
    const record = readRecord(reader, i === 0, baseTime);
    baseTime = record.time;
    records.push(record);
  }
  reader.end();
  return records;
}
