/** What the cloud holds at the end, against what the sensors measured. */
import type { History, Report, StoredReading } from "../history.ts";
import { measuredKey } from "./measured.ts";

export function checkStored({ produced, cloud, arrived, mayRefuse }: History, report: Report) {
  const indexes = new Map(produced.map((values, index) => [measuredKey(values), index]));
  const owners = new Map<number, string>();
  const last = new Map<number, number>();

  function take(reading: StoredReading): void {
    const name = `${reading.session}/${reading.sequence}`;
    const index = indexes.get(measuredKey(reading.values));
    if (index === undefined) {
      report("foreign", `reading ${name}, ${JSON.stringify(reading.values)}`);
      return;
    }
    const owner = owners.get(index);
    if (owner !== undefined) {
      report("twice", `measurement ${index}, as ${owner} and ${name}`);
      return;
    }
    owners.set(index, name);
    if (index < (last.get(reading.session) ?? -1)) report("order", `measurement ${index}, ${name}`);
    last.set(reading.session, index);
  }

  const inOrder = [...cloud.readings].sort(
    (one, other) => one.session - other.session || one.sequence - other.sequence,
  );
  inOrder.forEach(take);
  for (const index of arrived)
    if (!owners.has(index)) report("missing", `measurement ${index} of ${produced.length}`);
  for (const [reason, count] of Object.entries(cloud.refused))
    if (!mayRefuse.includes(reason)) report("refused", `${reason}, ${count} times`);
}
