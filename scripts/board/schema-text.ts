import { BOARD } from "./schema.ts";

/** boards/board.schema.json as it should be. */
export function schemaText(): string {
  return `${JSON.stringify(BOARD, null, 2)}\n`;
}
