/** The flash of the virtual device tears as flash does, and only there. */
import { afterAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../../protocol/bytes.ts";
import { createDeviceMemory, type DeviceMemory, openMemoryCrypto } from "./device-memory.ts";
import { allTears, createPower } from "./power.ts";
import { openBase } from "./world.ts";

const base = openBase();
afterAll(() => base.close());

/** One boot on this flash. */
function boot(memory: DeviceMemory, cutAt?: number) {
  const power = createPower({ cutAt, tornAt: allTears, cut() {}, uncaught() {} });
  return { power, crypto: openMemoryCrypto(base.crypto, memory, power, () => 0) };
}

function entries(memory: DeviceMemory): string[] {
  const { crypto } = boot(memory);
  return Array.from({ length: crypto.ringCount() }, (_, at) => crypto.ringPeek(at) as string);
}

const entry = (text: string) => text as Bytes;

describe("the ring of a virtual device", () => {
  it("torn at any byte of an append has the entry whole or not at all", () => {
    const seen = new Set<string>();
    for (let at = 1, isOver = false; !isOver; at++) {
      const memory = createDeviceMemory();
      boot(memory).crypto.ringAppend(entry("one"));
      const { power, crypto } = boot(memory, at);
      power.run(() => {
        crypto.ringAppend(entry("two"));
        crypto.ringDrop(1);
      });
      isOver = power.isOn();
      seen.add(entries(memory).join());
      boot(memory).crypto.ringAppend(entry("three"));
      expect(entries(memory).at(-1)).toBe("three");
    }
    expect([...seen]).toEqual(["one", "one,two", "two"]);
  });

  it("keeps what it held while a full ring makes room", () => {
    const full = createDeviceMemory();
    const { crypto } = boot(full);
    const big = entry("x".repeat(1000));
    while (crypto.ringAppend(big) === 0);
    const before = crypto.ringCount();
    const image = Buffer.from(full.ring);
    let room = before;
    for (let at = 1, isOver = false; !isOver; at += 97) {
      const memory = { ...full, ring: Buffer.from(image) };
      const cut = boot(memory, at);
      cut.power.run(() => {
        for (let i = 0; i < 4; i++) cut.crypto.ringAppend(big);
      });
      isOver = cut.power.isOn();
      room = Math.min(room, entries(memory).length);
      expect(entries(memory).every((text) => text === big)).toBe(true);
    }
    expect(room).toBeLessThan(before);
    expect(room).toBeGreaterThan(before - 8);
  });
});

describe("the records of a virtual device", () => {
  it("are old or new after a cut, and the counter never repeats", () => {
    for (let at = 1; at <= 4; at++) {
      const memory = createDeviceMemory();
      const first = boot(memory).crypto;
      first.openDeviceKey();
      first.writeRecord("state", entry("old"));
      const { power, crypto } = boot(memory, at);
      power.run(() => {
        crypto.writeRecord("state", entry("new"));
        expect(crypto.nextDeviceCounter()).toBe(1);
      });
      expect(power.isOn()).toBe(false);
      expect(memory.records.get("state")).toBe(at === 1 ? "old" : "new");
      expect(boot(memory).crypto.nextDeviceCounter()).toBe(at === 4 ? 2 : 1);
    }
  });

  it("reach nothing once the power is off", () => {
    const memory = createDeviceMemory();
    const { power, crypto } = boot(memory, 1);
    power.run(() => crypto.nextDeviceCounter());
    expect(() => crypto.writeRecord("state", entry("late"))).toThrow();
    expect(() => crypto.generateRandom(1)).toThrow();
    expect(memory.records.size).toBe(0);
  });
});
