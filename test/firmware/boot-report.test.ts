import { expect, it } from "vitest";
import { makeBootReport } from "../../firmware/boot-report.ts";
import { parseSenml } from "../../protocol/senml.ts";

it("ties seconds since boot to Unix time, for the sessions of this boot", () => {
  const pack = makeBootReport({
    time: 1_790_000_000,
    uptime: 73,
    firstSession: 298,
    session: 300,
    sequence: 12,
    queued: 40,
    drops: 2,
  });
  const records = parseSenml(pack).map(({ name, value, time }) => [name, value, time]);
  expect(records).toEqual([
    ["boot-uptime", 73, 1_790_000_000],
    ["boot-first", 298, 1_790_000_000],
    ["boot-session", 300, 1_790_000_000],
    ["boot-sequence", 12, 1_790_000_000],
    ["queued", 40, 1_790_000_000],
    ["drops", 2, 1_790_000_000],
  ]);
});
