import { readdirSync } from "node:fs";
import { basename } from "node:path";

/** The names of all boards, sorted: `directory`/<board>.json. Secrets of a device lie beside them. */
export function listBoards(directory) {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".json") && !/\.(?:schema|secrets)\.json$/.test(file))
    .map((file) => basename(file, ".json"))
    .sort();
}
