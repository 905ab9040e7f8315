import { generateKeyPairSync } from "node:crypto";
import {
  type CertificateCause,
  KEY_USAGE_DIGITAL_SIGNATURE,
} from "../../../protocol/cose/crypto.ts";
import {
  ANCHOR,
  ANCHOR_KEYS,
  anchorWith,
  basicConstraints,
  CA_TRUE,
  der,
  extension,
  goodLeaf,
  keyUsage,
  leafWith,
  makeKeys,
  NOT_AFTER,
  NOT_BEFORE,
  name,
  OTHER_ROLE,
  type Parts,
  ROLE,
  roles,
  seconds,
  sequence,
  time,
} from "../../support/certificates.ts";
import { type Check, LEAF } from "./certificate-check.ts";

const hex = (digits: string) => Buffer.from(digits, "hex");
const [BASIC, USAGE, ROLES] = goodLeaf.extensions as [Buffer, Buffer, Buffer];

const leaf = (parts: Partial<Parts>): Check => ({ leaf: leafWith(parts) });
const anchor = (parts: Partial<Parts>): Check => ({ anchor: anchorWith(parts) });
const extensions = (...list: Buffer[]): Check => leaf({ extensions: list });
export const validity = (...times: Buffer[]): Check => leaf({ validity: sequence(...times) });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey;
const P384 = p384.export({ format: "der", type: "spki" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
const RSA = rsa.export({ format: "der", type: "spki" });
const SHA384 = hex("300a06082a8648ce3d040303");
const NULL_PARAMETERS = hex("300c06082a8648ce3d0403020500");
const offCurve = Buffer.from(goodLeaf.publicKey);
offCurve[90] = (offCurve[90] as number) ^ 1;
const compressed = Buffer.concat([
  hex("3039301306072a8648ce3d020106082a8648ce3d030107032200"),
  Buffer.from([2 + ((goodLeaf.publicKey.at(-1) as number) & 1)]),
  goodLeaf.publicKey.subarray(27, 59),
]);
const OWN = makeKeys();
const flipLast = (signature: Buffer) => {
  const bits = Buffer.concat([hex("00"), signature]);
  bits[bits.length - 1] = (bits.at(-1) as number) ^ 1;
  return bits;
};
const NAMES = hex("551d1e");
const utc = (text: string) => der(0x17, Buffer.from(text));
const general = (text: string) => der(0x18, Buffer.from(text));
const NEW_YEAR = time("2026-01-01T00:00:00Z");
/** The certificate with its outer length written another way. */
const outerLength = (...bytes: number[]) =>
  Buffer.concat([Buffer.from([0x30, ...bytes]), LEAF.subarray(4)]);

/** A bad certificate for each cause, and each way to it. */
export const REFUSED: [CertificateCause, string, Check][] = [
  ["anchor", "bytes after the anchor", { anchor: Buffer.concat([ANCHOR, Buffer.alloc(1)]) }],
  ["anchor", "no anchor at all", { anchor: Buffer.alloc(0) }],
  ["anchor", "an anchor that is no CA", anchor({ extensions: [keyUsage("0106")] })],
  ["anchor", "an anchor with cA false", anchor({ extensions: [BASIC, keyUsage("0106")] })],
  ["anchor", "an anchor without a key usage", anchor({ extensions: [CA_TRUE] })],
  ["anchor", "an anchor without keyCertSign", anchor({ extensions: [CA_TRUE, keyUsage("0102")] })],
  ["anchor", "an anchor of another curve", anchor({ publicKey: P384 })],
  ["anchor", "an anchor off the curve", anchor({ publicKey: offCurve })],
  ["anchor", "an anchor of version 1", anchor({ version: Buffer.alloc(0) })],
  ["anchor", "a leaf as the anchor", { anchor: LEAF }],
  [
    "anchor",
    "an anchor with an unknown critical extension",
    anchor({ extensions: [CA_TRUE, keyUsage("0106"), extension("551d1e", true, sequence())] }),
  ],
  ["encoding", "no certificate at all", { leaf: Buffer.alloc(0) }],
  ["encoding", "a byte after it", { leaf: Buffer.concat([LEAF, Buffer.alloc(1)]) }],
  ["encoding", "a missing last byte", { leaf: LEAF.subarray(0, -1) }],
  ["encoding", "an indefinite length", { leaf: outerLength(0x80) }],
  ["encoding", "a length of three bytes", { leaf: outerLength(0x83, 0, 0x01, LEAF[3] as number) }],
  ["encoding", "a short length in the long form", leaf({ issuer: hex("308100") })],
  ["encoding", "a length of two bytes for one", leaf({ subject: hex("30820000") })],
  ["encoding", "a negative serial number", leaf({ serial: hex("020180") })],
  ["encoding", "an empty serial number", leaf({ serial: hex("0200") })],
  ["encoding", "a serial number with a needless zero", leaf({ serial: hex("02020001") })],
  ["encoding", "a serial number of 21 bytes", leaf({ serial: der(2, Buffer.alloc(21, 1)) })],
  ["encoding", "a unique id", leaf({ uniqueIds: hex("81020001") })],
  [
    "encoding",
    "a critical that is FALSE",
    extensions(BASIC, hex("300d0603551d0f01010004030302" + "0308")),
  ],
  [
    "encoding",
    "a critical that is 1",
    extensions(hex("300a0603551d13010101" + "0400"), USAGE, ROLES),
  ],
  ["encoding", "a cA that is FALSE", extensions(basicConstraints(hex("010100")), USAGE, ROLES)],
  [
    "encoding",
    "a path length without cA",
    extensions(basicConstraints(hex("020100")), USAGE, ROLES),
  ],
  ["encoding", "a key usage with 8 unused bits", extensions(BASIC, keyUsage("0808"), ROLES)],
  ["encoding", "a key usage without bits", extensions(BASIC, keyUsage("00"), ROLES)],
  [
    "encoding",
    "a key usage that is an integer",
    extensions(BASIC, extension("551d0f", true, hex("020108")), ROLES),
  ],
  [
    "encoding",
    "a role that is no list",
    extensions(BASIC, USAGE, extension("551d25", true, der(6, ROLE))),
  ],
  [
    "encoding",
    "a role that is no identifier",
    extensions(BASIC, USAGE, extension("551d25", true, sequence(hex("020105")))),
  ],
  [
    "encoding",
    "bytes after an extension's value",
    extensions(
      BASIC,
      USAGE,
      extension("551d25", true, Buffer.concat([sequence(der(6, ROLE)), hex("00")])),
    ),
  ],
  [
    "encoding",
    "17 extensions",
    extensions(
      ...Array.from({ length: 17 }, (_, i) =>
        extension(`550${i.toString(16).padStart(3, "0")}`, false, sequence()),
      ),
    ),
  ],
  ["version", "version 1", leaf({ version: Buffer.alloc(0) })],
  ["version", "version 2", leaf({ version: hex("a003020101") })],
  ["version", "version 4", leaf({ version: hex("a003020103") })],
  ["algorithm", "SHA-384 inside", leaf({ innerAlgorithm: SHA384 })],
  ["algorithm", "SHA-384 outside", leaf({ outerAlgorithm: SHA384 })],
  [
    "algorithm",
    "NULL parameters",
    leaf({ innerAlgorithm: NULL_PARAMETERS, outerAlgorithm: NULL_PARAMETERS }),
  ],
  ["issuer", "another issuer", leaf({ issuer: name("other root") })],
  [
    "issuer",
    "the issuer in another string type",
    leaf({
      issuer: sequence(der(0x31, sequence(hex("0603550403"), der(0x13, Buffer.from("test root"))))),
    }),
  ],
  ["validity", "30 February", validity(utc("260230000000Z"), time(NOT_AFTER))],
  ["validity", "29 February of no leap year", validity(utc("260229000000Z"), time(NOT_AFTER))],
  ["validity", "an hour 24", validity(utc("260101240000Z"), time(NOT_AFTER))],
  ["validity", "a second 60", validity(utc("260101000060Z"), time(NOT_AFTER))],
  ["validity", "a month 0", validity(utc("260001000000Z"), time(NOT_AFTER))],
  ["validity", "no seconds", validity(utc("2601010000Z"), time(NOT_AFTER))],
  ["validity", "a time zone", validity(utc("260101000000+0000"), time(NOT_AFTER))],
  ["validity", "letters", validity(utc("26010100000aZ"), time(NOT_AFTER))],
  ["validity", "GeneralizedTime before 2050", validity(NEW_YEAR, general("20281231235959Z"))],
  ["validity", "a fraction of a second", validity(NEW_YEAR, general("20501231235959.0Z"))],
  ["validity", "one date", validity(NEW_YEAR)],
  ["validity", "three dates", validity(NEW_YEAR, time(NOT_AFTER), time(NOT_AFTER))],
  ["validity", "dates in the wrong order", validity(time(NOT_AFTER), NEW_YEAR)],
  ["expired", "a floor after its end", { timeFloor: seconds(NOT_AFTER) + 1 }],
  ["too-old", "one from before", { issuedNotBefore: seconds(NOT_BEFORE) + 1 }],
  ["public-key", "a key of P-384", leaf({ publicKey: P384 })],
  ["public-key", "a key of RSA", leaf({ publicKey: RSA })],
  ["public-key", "a point off the curve", leaf({ publicKey: offCurve })],
  ["public-key", "a compressed point", leaf({ publicKey: compressed })],
  ["self-issued", "the anchor itself", { leaf: ANCHOR }],
  [
    "issuer",
    "a leaf that signs itself",
    leaf({ issuer: name("test cloud"), signer: OWN.privateKey, publicKey: OWN.publicKey }),
  ],
  [
    "self-issued",
    "a leaf that signs itself in the anchor's name",
    leaf({ subject: name("test root"), signer: OWN.privateKey, publicKey: OWN.publicKey }),
  ],
  ["self-issued", "the anchor's name", leaf({ subject: name("test root") })],
  ["self-issued", "the anchor's key", leaf({ publicKey: ANCHOR_KEYS.publicKey })],
  ["duplicate-extension", "a key usage twice", extensions(BASIC, USAGE, ROLES, USAGE)],
  [
    "duplicate-extension",
    "an unknown extension twice",
    extensions(
      BASIC,
      USAGE,
      ROLES,
      extension("5501", false, NAMES),
      extension("5501", false, NAMES),
    ),
  ],
  [
    "critical-extension",
    "an unknown critical extension",
    extensions(BASIC, USAGE, ROLES, extension("551d1e", true, sequence())),
  ],
  ["ca", "cA true", extensions(CA_TRUE, USAGE, ROLES)],
  [
    "ca",
    "cA true with a path length",
    extensions(basicConstraints(hex("0101ff020100")), USAGE, ROLES),
  ],
  ["key-usage-absent", "no key usage", extensions(BASIC, ROLES)],
  ["key-usage-absent", "no extension at all", extensions()],
  ["key-usage", "digitalSignature", extensions(BASIC, keyUsage("0780"), ROLES)],
  ["key-usage", "one bit more", extensions(BASIC, keyUsage("0388"), ROLES)],
  ["key-usage", "a ninth bit", extensions(BASIC, keyUsage("070880"), ROLES)],
  ["key-usage", "too few unused bits", extensions(BASIC, keyUsage("0008"), ROLES)],
  ["key-usage", "another than is asked for", { usage: KEY_USAGE_DIGITAL_SIGNATURE }],
  ["role-absent", "no extended key usage", extensions(BASIC, USAGE)],
  [
    "role-not-critical",
    "a role that is not critical",
    extensions(BASIC, USAGE, extension("551d25", false, sequence(der(6, ROLE)))),
  ],
  ["role", "another role", extensions(BASIC, USAGE, roles(OTHER_ROLE))],
  [
    "role",
    "another role that begins the same",
    extensions(BASIC, USAGE, roles(Buffer.concat([ROLE, hex("01")]))),
  ],
  ["role", "anyExtendedKeyUsage", extensions(BASIC, USAGE, roles(hex("551d2500")))],
  ["role", "the role and another", extensions(BASIC, USAGE, roles(ROLE, OTHER_ROLE))],
  [
    "role",
    "the role and anyExtendedKeyUsage",
    extensions(BASIC, USAGE, roles(ROLE, hex("551d2500"))),
  ],
  ["duplicate-extension", "a role twice", extensions(BASIC, USAGE, ROLES, ROLES)],
  ["role", "the role twice", extensions(BASIC, USAGE, roles(ROLE, ROLE))],
  ["role", "no role in the list", extensions(BASIC, USAGE, roles())],
  ["role", "another than is asked for", { role: OTHER_ROLE }],
  ["signature", "another signer of the same name", leaf({ signer: makeKeys().privateKey })],
  [
    "signature",
    "an anchor of the same name",
    { anchor: anchorWith({ publicKey: makeKeys().publicKey }) },
  ],
  ["signature", "a flipped bit in it", leaf({ signatureBits: flipLast })],
  [
    "signature",
    "a leaf that signs itself",
    leaf({ signer: OWN.privateKey, publicKey: OWN.publicKey }),
  ],
  ["signature", "unused bits", leaf({ signatureBits: (s) => Buffer.concat([hex("01"), s]) })],
  ["signature", "an empty bit string", leaf({ signatureBits: () => Buffer.alloc(0) })],
  ["signature", "a zero r", leaf({ signatureBits: () => hex("003006020100020101") })],
  [
    "signature",
    "bytes after it",
    leaf({ signatureBits: (s) => Buffer.concat([hex("00"), s, hex("00")]) }),
  ],
  [
    "signature",
    "an r of 33 bytes",
    leaf({
      signatureBits: () => Buffer.concat([hex("003026022101"), Buffer.alloc(32), hex("020101")]),
    }),
  ],
  ["signature", "a third integer", leaf({ signatureBits: () => hex("003009020101020101020101") })],
];

/** What is allowed besides the good leaf. */
export const ACCEPTED: [string, Check][] = [
  ["a floor at its end", { timeFloor: seconds(NOT_AFTER) }],
  ["issued at the bound", { issuedNotBefore: seconds(NOT_BEFORE) }],
  ["notBefore in the future", { timeFloor: seconds(NOT_BEFORE) - 1e6 }],
  ["a key usage that is not critical", extensions(BASIC, keyUsage("0308", false), ROLES)],
  ["no basic constraints", extensions(USAGE, ROLES)],
  ["an unknown extension", extensions(USAGE, ROLES, extension("551d0e", false, NAMES))],
  ["an empty subject", leaf({ subject: sequence() })],
  ["the last second there is", validity(time("1970-01-01T00:00:00Z"), general("99991231235959Z"))],
  ["29 February", validity(utc("240229000000Z"), time(NOT_AFTER))],
  ["a serial number of 20 bytes", leaf({ serial: der(2, Buffer.alloc(20, 1)) })],
  [
    "another role and usage, as asked for",
    {
      ...extensions(keyUsage("0780"), roles(OTHER_ROLE)),
      role: OTHER_ROLE,
      usage: KEY_USAGE_DIGITAL_SIGNATURE,
    },
  ],
];
