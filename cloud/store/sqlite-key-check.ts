import type { Database } from "better-sqlite3";
import { fromBuffer, toBuffer } from "../crypto/convert.ts";
import type { Store } from "./store.ts";

export function keyCheckTable(database: Database): Pick<Store, "keepKeyCheck"> {
  const insert = database.prepare(
    "INSERT INTO key_check (only_row, sealed_key) VALUES (1, ?) ON CONFLICT DO NOTHING",
  );
  const get = database.prepare<[], Buffer>("SELECT sealed_key FROM key_check").pluck();
  return {
    async keepKeyCheck(sealedKey) {
      insert.run(toBuffer(sealedKey, "sealed key"));
      return fromBuffer(get.get() as Buffer);
    },
  };
}
