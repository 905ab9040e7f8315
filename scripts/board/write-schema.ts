/** `npm run schema`: boards/board.schema.json, which editors read. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../simulator/repository.ts";
import { schemaText } from "./schema-text.ts";

writeFileSync(join(repositoryRoot(), "boards", "board.schema.json"), schemaText());
