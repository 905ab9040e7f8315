import { fromBuffer } from "../../../cloud/crypto/convert.ts";
import { issueCommand } from "../../../cloud/operator/issue.ts";
import { kidOf } from "../../../protocol/kid.ts";
import { TOPIC_PREFIX, topicOf } from "../../../protocol/topics.ts";
import type { Update } from "../../../protocol/update-parameters.ts";
import { toBinary } from "../cbor-oracle.ts";
import { nodeCrypto } from "../parties.ts";
import type { WorldAuthority } from "./authority.ts";
import type { World } from "./world.ts";

/** Long enough for a device that is deaf for a day. */
const LIFE_SECONDS = 7 * 86_400;

/** Sends a command to the device of a world, an update where one is given, and again by `send`. */
export async function order(
  world: World,
  { provisioner }: WorldAuthority,
  update?: Update,
  lifeSeconds = LIFE_SECONDS,
) {
  const kid = kidOf(fromBuffer(world.thumbprint));
  const { store, now } = world.cloud.context;
  const device = await store.findDevice(kid);
  if (device === undefined) throw new Error("device, expected one that the cloud knows, got none");
  const action = update ? "update" : "request";
  const command = await issueCommand(
    { crypto: nodeCrypto, store, provisioner, now },
    { device, userId: "ann", action, form: "sealed", lifeSeconds, update },
  );
  const send = () =>
    world.broker.publish(topicOf(TOPIC_PREFIX, kid, "command"), toBinary(command.message));
  send();
  return {
    send,
    /** Which commands have had their reply. */
    replied: async () => (await store.listCommands(kid)).map(({ reply }) => reply !== undefined),
  };
}
