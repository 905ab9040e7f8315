import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, bytes } from "../../protocol/bytes.ts";
import { parseSign1 } from "../../protocol/cose/sign1.ts";
import { createEnrolOpener } from "../../protocol/enrol-message.ts";
import { createEventOpener } from "../../protocol/event-message.ts";
import {
  createReplyMaker,
  createReplyOpener,
  REASON_BUSY,
  REASON_DEVICE,
  type Reply,
  STATUS_DELETED,
  STATUS_DONE,
  STATUS_EXPIRED,
  STATUS_POLICY,
  STATUS_REFUSED,
  STATUS_ROLLED,
  STATUS_STALE,
} from "../../protocol/reply-message.ts";
import { toBinary } from "../support/cbor-oracle.ts";
import { openEncryptByHand } from "../support/cose-reader.ts";
import { makeCsr, readCsrKey } from "../support/csr.ts";
import { makeParty, nodeCrypto, openDevice, type TestDevice } from "../support/parties.ts";
import { buildReply, padOracle, resign } from "../support/provisioning-builder.ts";
import { codeOf, flipEveryByte, MESSAGE_CODES } from "../support/refusal.ts";

const COMMAND = bytes("h".repeat(32));
const DONE: Reply = { command: COMMAND, status: STATUS_DONE, detail: 0 };

const cloud = makeParty();
const openReply = createReplyOpener(nodeCrypto);
let device: TestDevice;

beforeAll(() => {
  device = openDevice();
});
afterAll(() => {
  device.close();
});

function make(reply = DONE, counter = 7) {
  return createReplyMaker(device.crypto)(device, [cloud], counter, reply);
}

const open = (message: Bytes) => openReply(parseSign1(message), device, cloud);

/** Of each status the details that it has, and those just outside. */
const DETAILS: [status: number, taken: (number | Bytes)[], refused: (number | Bytes)[]][] = [
  [STATUS_DONE, [0], [1, bytes("")]],
  [STATUS_REFUSED, [REASON_DEVICE, REASON_BUSY], [0, REASON_BUSY + 1]],
  [STATUS_STALE, [0, 1_800_000_000_000, 2 ** 53 - 1], [bytes("1")]],
  [STATUS_EXPIRED, [0, 1_800_000_000, 253_402_300_799], [253_402_300_800]],
  [STATUS_POLICY, [1, 3], [0, 4]],
  [STATUS_ROLLED, [makeCsr(makeParty())], [0, bytes(""), bytes("c".repeat(257))]],
  [STATUS_DELETED, [0], [1]],
];

describe("a reply", () => {
  it.each(DETAILS)("of status %i has details of its own", (status, taken, refused) => {
    for (const detail of taken) {
      const reply = { command: COMMAND, status, detail };
      expect(open(make(reply).message)).toEqual({ ...reply, counter: 7 });
    }
    for (const detail of refused) {
      const { message } = make({ command: COMMAND, status, detail });
      expect(["form", "size"]).toContain(codeOf(() => open(message)));
    }
  });

  it("has no status but these", () => {
    for (const status of [0, 8])
      expect(codeOf(() => open(make({ ...DONE, status }).message))).toBe("form");
  });

  it("shows in its length only whether it carries a CSR", () => {
    const lengths = DETAILS.flatMap(([status, taken]) =>
      taken.flatMap((detail) =>
        [1, 4_294_967_295].map(
          (counter) => make({ command: COMMAND, status, detail }, counter).message.length,
        ),
      ),
    );
    const [short, rolled] = [...new Set(lengths)].sort((a, b) => a - b);
    console.log(`reply: ${short} bytes, ${rolled} with the CSR of a rolled key`);
    expect(new Set(lengths).size).toBe(2);
    expect(short).toBe(276);
    expect(rolled).toBe(470);
  });

  it("is opened by node:crypto alone, padded to 64 bytes", () => {
    const { message } = make({ command: COMMAND, status: STATUS_STALE, detail: 1_800_000_000_000 });
    const { payload } = parseSign1(message);
    const content = openEncryptByHand(payload, "reply", device.thumbprint, cloud, 0);
    expect(content).toHaveLength(64);
    const array = [7, toBinary(COMMAND), STATUS_STALE, 1_800_000_000_000n];
    expect(content).toEqual(padOracle(array));
  });

  it("is taken as the other implementation makes it", () => {
    const party = makeParty();
    const csr = makeCsr(makeParty());
    const { message } = buildReply(party, [cloud], 65536, STATUS_ROLLED, toBinary(csr));
    expect(openReply(parseSign1(message), party, cloud)).toEqual({
      counter: 65536,
      command: "\x03".repeat(32),
      status: STATUS_ROLLED,
      detail: csr,
    });
  });
});

describe("refusals", () => {
  it("refuses a flip in every byte", () => {
    const codes = flipEveryByte(make().message, open);
    expect(codes.none).toBeUndefined();
    expect(MESSAGE_CODES).toEqual(expect.arrayContaining(Object.keys(codes)));
  });

  it("refuses every truncation and every byte more", () => {
    const { message } = make();
    for (let length = 0; length < message.length; length++)
      expect(MESSAGE_CODES).toContain(codeOf(() => open(message.slice(0, length) as Bytes)));
    expect(codeOf(() => open(`${message}\0` as Bytes))).toBe("cbor");
  });

  it("refuses another device's reply, and another receiver", () => {
    const sign1 = parseSign1(make().message);
    const other = makeParty();
    expect(codeOf(() => openReply(sign1, other, cloud))).toBe("kid");
    expect(codeOf(() => openReply({ ...sign1, kid: other.kid }, other, cloud))).toBe("signature");
    expect(codeOf(() => openReply(sign1, device, makeParty()))).toBe("kid");
  });

  it("refuses to another device what it signs again in its own name", () => {
    const attacker = makeParty();
    const stolen = resign(attacker, attacker, "reply", parseSign1(make().message).payload);
    expect(codeOf(() => openReply(parseSign1(stolen), attacker, cloud))).toBe("decrypt");
  });

  it("is no event and no enrol message", () => {
    const { message } = make();
    const openEvent = createEventOpener(nodeCrypto);
    expect(codeOf(() => openEvent(parseSign1(message), device, cloud))).toBe("signature");
    expect(codeOf(() => createEnrolOpener(nodeCrypto, readCsrKey).parse(message))).toBe("size");
  });
});
