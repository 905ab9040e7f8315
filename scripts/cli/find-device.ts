import type { DeviceSummary, Store } from "../../cloud/store/store.ts";
import { toHex } from "../../protocol/bytes.ts";

/** By key id, device id or name, in this order; throws when it names no device, or several. */
export async function findOne(store: Store, name: string): Promise<DeviceSummary> {
  const all = await store.listDevices();
  const isOpen = ({ device }: DeviceSummary) => !["deleted", "revoked"].includes(device.state);
  const found = [
    all.filter(({ device }) => toHex(device.kid) === name),
    all.filter((summary) => isOpen(summary) && summary.device.deviceId === name),
    all.filter(({ device }) => device.name === name),
  ].find((list) => list.length > 0);
  const [only, ...others] = found ?? [];
  if (only && others.length === 0) return only;
  const got = only ? `${others.length + 1} of that name: give the key id` : "none of it";
  throw new Error(`device, expected a key id, device id or name of one, got ${got}`);
}
