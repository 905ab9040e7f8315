/** Lives that follow plans of power cuts, and what tests of them share. */
import { expect } from "vitest";
import type { World } from "../support/world/world.ts";
import { isNightly, spread } from "./lives.ts";

/** Failures that are shown: the first say enough. */
const SHOWN = 5;

interface Lived {
  violations: string[];
  world: World;
}

/** All of them in a nightly run, in a daily one so many, spread over all. */
export function choose(all: number[][], daily: number): number[][] {
  const places = spread(all.length, isNightly ? all.length : daily);
  return places.map((at) => all[at - 1] as number[]);
}

/** Lives each plan, and expects no violation; the number of cuts. */
export async function liveAll(
  plans: number[][],
  live: (plan: number[]) => Promise<Lived>,
): Promise<number> {
  const failures: string[] = [];
  let cuts = 0;
  for (const plan of plans) {
    const { violations, world } = await live(plan);
    cuts += world.cuts();
    if (violations.length > 0) failures.push(`cut at ${plan}:\n${violations.join("\n")}`);
    if (failures.length >= SHOWN) break;
  }
  expect(failures).toEqual([]);
  console.log(`power cut ${cuts} times in ${plans.length} lives`);
  return cuts;
}

/** Loses the first of what the cloud sends under the topic of a class. */
export function losing(messageClass: string, count: number) {
  return ({ broker }: World) => {
    const { publish } = broker;
    let left = count;
    broker.publish = (topic, payload) => {
      if (topic.endsWith(`/${messageClass}`) && left-- > 0) return;
      publish(topic, payload);
    };
  };
}

/** What the device has sent under the topic of a class, each time, in hexadecimal. */
export const sentAs = ({ events }: World, messageClass: string): string[] =>
  events.flatMap((event) =>
    event.kind === "sent" &&
    event.packet.cmd === "publish" &&
    event.packet.topic.endsWith(`/${messageClass}`)
      ? [(event.packet.payload as Buffer).toString("hex")]
      : [],
  );
