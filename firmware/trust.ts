/**
 * Whom the device believes: certificates right below its anchor, none that had expired
 * when it last knew the time, none from before what it was told. Opened for each use and
 * dropped, since only the cloud's public key is needed between two uses.
 *
 *   record "trust"   1, then CBOR: [issued not before by role (3), certificate by role (3)],
 *                    empty where the flashed one counts or none is known
 *   record "floor"   1, then the time floor: Unix seconds, big-endian
 */
import { type Bytes, fromBigEndian, toBigEndian } from "../protocol/bytes.ts";
import { cborBytes, cborInt, UNSIGNED } from "../protocol/cbor.ts";
import { createReader } from "../protocol/cbor-reader.ts";
import {
  type DeviceCrypto,
  KEY_USAGE_DIGITAL_SIGNATURE,
  KEY_USAGE_KEY_AGREEMENT,
  type VerifiedCertificate,
} from "../protocol/cose/crypto.ts";
import type { Recipient } from "../protocol/cose/encrypt.ts";
import { fail } from "../protocol/errors.ts";
import { thumbprintOf } from "../protocol/kid.ts";
import { CLOUD, PROVISIONER, roleOf } from "../protocol/roles.ts";
import type { Update } from "../protocol/update-parameters.ts";
import type { Provisioning } from "./config.ts";
import type { Log } from "./ports.ts";
import { readVersioned, writeVersioned } from "./versioned-record.ts";

const TRUST_RECORD = "trust";
const FLOOR_RECORD = "floor";
const VERSION = 1;
/** Between two writes of the floor while nothing else is written: a day too early is early enough. */
export const FLOOR_STEP = 86400;

/** By role: CLOUD, REGISTRAR, PROVISIONER. */
interface Kept {
  issuedNotBefore: number[];
  leaves: Bytes[];
}

function decodeKept(content: Bytes): Kept {
  const reader = createReader(content);
  const issuedNotBefore: number[] = [];
  const leaves: Bytes[] = [];
  reader.exactly("\x86", "trust record");
  for (let role = CLOUD; role <= PROVISIONER; role++) issuedNotBefore.push(reader.head(UNSIGNED));
  for (let role = CLOUD; role <= PROVISIONER; role++) leaves.push(reader.bytes());
  reader.end();
  return { issuedNotBefore: issuedNotBefore, leaves: leaves };
}

export function openTrust(crypto: DeviceCrypto, settings: Provisioning, log: Log) {
  const none = "" as Bytes;
  let kept: Kept = { issuedNotBefore: [0, 0, 0], leaves: [none, none, none] };
  let floor = settings.buildTime;

  const floorText = readVersioned(crypto, FLOOR_RECORD, VERSION, log);
  if (floorText !== undefined) floor = Math.max(floor, fromBigEndian(floorText));
  const trustText = readVersioned(crypto, TRUST_RECORD, VERSION, log);
  if (trustText !== undefined)
    try {
      kept = decodeKept(trustText);
    } catch (error) {
      log("record " + TRUST_RECORD + " not used: " + (error as Error).message);
    }

  function save(): void {
    const parts = kept.issuedNotBefore.map(cborInt).concat(kept.leaves.map(cborBytes));
    writeVersioned(crypto, TRUST_RECORD, VERSION, "\x86" + parts.join(""));
  }

  function check(role: number, leaf: Bytes): VerifiedCertificate {
    return crypto.verifyCertificate(
      leaf,
      settings.anchor,
      roleOf(role).oid,
      role === CLOUD ? KEY_USAGE_KEY_AGREEMENT : KEY_USAGE_DIGITAL_SIGNATURE,
      kept.issuedNotBefore[role] as number,
      floor,
    );
  }

  /** The newest that is acceptable of the one kept and, for the cloud, the one flashed. */
  function newest(role: number): VerifiedCertificate | undefined {
    const leaves = [kept.leaves[role] as Bytes];
    if (role === CLOUD && leaves[0] !== settings.cloudCertificate)
      leaves.push(settings.cloudCertificate);
    let best: VerifiedCertificate | undefined;
    leaves.forEach(function (leaf) {
      if (leaf === "") return;
      try {
        const verified = check(role, leaf);
        if (!best || verified.notBefore > best.notBefore) best = verified;
      } catch (error) {
        log(roleOf(role).name + " certificate not acceptable: " + (error as Error).message);
      }
    });
    return best;
  }

  function has(role: number, leaf: Bytes): boolean {
    return leaf === kept.leaves[role] || (role === CLOUD && leaf === settings.cloudCertificate);
  }

  /** Keeps a leaf where it is acceptable and later than what there is; says whether it was. */
  function keep(role: number, leaf: Bytes): boolean {
    if (has(role, leaf)) return false;
    const offered = check(role, leaf);
    const before = newest(role);
    if (before && offered.notBefore <= before.notBefore) return false;
    kept.leaves[role] = leaf;
    save();
    return true;
  }

  function cloud(): Recipient | undefined {
    const verified = newest(CLOUD);
    return (
      verified && {
        publicKey: verified.publicKey,
        thumbprint: thumbprintOf(crypto, verified.publicKey),
      }
    );
  }

  return {
    floor: floor,

    /** Whom to seal to; undefined where no certificate of the cloud is acceptable. */
    cloud: cloud,

    /** Puts that one, alone, in the list; nobody where there is none. */
    putCloud(recipients: Recipient[]): void {
      const believed = cloud();
      recipients.pop();
      if (believed) recipients.push(believed);
    },

    /** True for a certificate that is kept, or flashed: there is nothing new in it. */
    has: has,
    keep: keep,

    /**
     * The public key that a message downward must be signed by: that of the leaf it carries,
     * or else of the one kept. "certificate" where there is none, or it is not acceptable.
     */
    signer(role: number, leaf: Bytes | undefined): Bytes {
      const used = leaf === undefined ? (kept.leaves[role] as Bytes) : leaf;
      if (used === "")
        fail("certificate", roleOf(role).name + ", expected its certificate with it, got none");
      return check(role, used).publicKey;
    },

    /**
     * Moves the floor up to an authenticated time, when `always` or a day has gone by. One
     * after the end of a certificate in use is not believed.
     */
    advance(time: number, always: boolean): void {
      if (time <= floor || (!always && time < floor + FLOOR_STEP)) return;
      for (let role = CLOUD; role <= PROVISIONER; role++) {
        const verified = newest(role);
        if (verified && time > verified.notAfter) {
          log("time " + time + " not believed: a certificate in use ends before it");
          return;
        }
      }
      writeVersioned(crypto, FLOOR_RECORD, VERSION, toBigEndian(time));
      floor = time;
    },

    /** Takes what an update says of certificates; throws, and has kept nothing, for one not acceptable. */
    apply(update: Update): void {
      const raised = update.issuedNotBefore;
      const before = kept.issuedNotBefore;
      const asked = raised ? [raised.cloud, raised.registrar, raised.provisioner] : before;
      const leaves = [update.cloudCertificate, update.registrarCertificate];
      kept.issuedNotBefore = before.map((time, role) => Math.max(time, asked[role] as number));
      leaves.forEach(function (leaf, role) {
        if (leaf !== undefined) check(role, leaf);
      });
      if (raised) save();
      leaves.forEach(function (leaf, role) {
        if (leaf !== undefined) keep(role, leaf);
      });
    },
  };
}
