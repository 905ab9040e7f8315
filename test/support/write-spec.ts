/** Rewrites the made parts of SPEC.md in the working directory. */
import { readFileSync, writeFileSync } from "node:fs";
import { renderSpec } from "./spec-sections.ts";

writeFileSync("SPEC.md", renderSpec(readFileSync("SPEC.md", "utf8")));
