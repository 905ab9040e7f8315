import { readdirSync } from "node:fs";
import { basename } from "node:path";

/** The names of all boards, sorted: `directory`/<board>.json, schemas left out. */
export function listBoards(directory) {
  return readdirSync(directory)
    .filter((file) => file.endsWith(".json") && !file.endsWith(".schema.json"))
    .map((file) => basename(file, ".json"))
    .sort();
}
