import { nameDatabase, openSqliteStore } from "../../cloud/store/sqlite.ts";
import type { Store } from "../../cloud/store/store.ts";
import { DATABASE } from "./defaults.ts";

/** Of every command that opens the cloud's database. */
export const DATABASE_OPTION = ["--db <file>", "database", DATABASE] as const;

/** Opens the store for one command; it is made if it is not there. */
export async function withStore<T>(path: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = openSqliteStore(path);
  try {
    return await use(store);
  } catch (error) {
    throw nameDatabase(error, path);
  } finally {
    await store.close();
  }
}
