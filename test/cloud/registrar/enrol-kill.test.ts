import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashOfClaim } from "../../../cloud/claims.ts";
import type { AcceptedEnrol } from "../../../cloud/registrar/accept-enrol.ts";
import type { Store } from "../../../cloud/store/store.ts";
import { type Bytes, fromHex } from "../../../protocol/bytes.ts";
import { makeRegistrar, type TestRegistrar } from "../support/registrar.ts";
import { temporaryDirectories } from "../support/temporary.ts";
import { openTestCloud, type TestCloud } from "../support/test-cloud.ts";
import { openTestDevice, type TestDevice } from "../support/test-device.ts";

/** The receiver ends at some step; another one, with the same keys and files, gets the repeat. */
const CLAIM = "99".repeat(16);
const temporary = temporaryDirectories();
let directory: string;
let registrar: TestRegistrar;
let device: TestDevice;
let clouds: TestCloud[];
let message: Bytes;

beforeEach(async () => {
  directory = temporary();
  registrar = await makeRegistrar(directory);
  device = openTestDevice();
  clouds = [];
});
afterEach(async () => {
  for (const cloud of clouds.splice(0)) await cloud.close();
  device.close();
});

/** A receiver of the one cloud; `self` of the first opens what the device has sealed. */
function open(change: (store: Store) => Store = (same) => same): TestCloud {
  const older = clouds.slice(0, 1).map(({ self }) => self);
  const cloud = openTestCloud(directory, change, older, registrar);
  clouds.push(cloud);
  return cloud;
}

async function prepare(cloud: TestCloud): Promise<void> {
  const madeAt = cloud.clock.now;
  const claim = { hash: hashOfClaim(CLAIM), userId: "ann", deviceId: undefined, madeAt };
  await cloud.store.makeClaim({ ...claim, expiresAt: madeAt + 3600 });
  message = device.makeEnrol(cloud.self.publicKey, { claim: fromHex(CLAIM) }).message;
}

const send = (cloud: TestCloud) => cloud.send(device, "enrol", message) as Promise<AcceptedEnrol>;

/** Where the process ends: at a call of the store, before it does anything or after it is done. */
const died = () => Promise.reject(new Error("killed"));

describe("a registrar that is killed", () => {
  it("before the commit has told nobody anything: the repeat is the first", async () => {
    const cloud = open((store) => ({ ...store, commitEnrolment: died }));
    await prepare(cloud);
    await expect(send(cloud)).rejects.toThrow("killed");
    await cloud.close();
    const next = open();
    const { repeat, enrolled } = await send(next);
    expect(repeat).toBe(false);
    const { certificate } = device.openEnrolled(enrolled);
    expect(await next.store.findDevice(device.kid)).toMatchObject({ certificate });
    expect((await send(next)).enrolled).toBe(enrolled);
  });

  it("after the commit, before it could publish, gives the repeat what it has stored", async () => {
    let stored: Bytes | undefined;
    const cloud = open((store) => ({
      ...store,
      async commitEnrolment(enrolment, hash) {
        await store.commitEnrolment(enrolment, hash);
        stored = enrolment.reply;
        return died();
      },
    }));
    await prepare(cloud);
    await expect(send(cloud)).rejects.toThrow("killed");
    await cloud.close();
    expect(await send(open())).toMatchObject({ repeat: true, enrolled: stored });
    expect(device.openEnrolled(stored as Bytes)).toMatchObject({ settings: {} });
  });

  it("between two that judge at once lets one of them win, and both say the same", async () => {
    const one = open();
    await prepare(one);
    const two = open((store) => ({
      ...store,
      async judgeEnrolment(request, now) {
        const verdict = await store.judgeEnrolment(request, now);
        await send(one);
        return verdict;
      },
    }));
    const second = await send(two);
    expect(second.repeat).toBe(true);
    expect(second.enrolled).toBe((await send(one)).enrolled);
  });
});
