import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Static, TSchema } from "typebox";
import { describe, expect, it } from "vitest";
import {
  getLanguageService,
  type JSONDocument,
  type LanguageService,
  TextDocument,
} from "vscode-json-languageservice";
import type { Board } from "../../../firmware/config.ts";
import { DRIVERS } from "../../../scripts/board/drivers.ts";
import { BOARD } from "../../../scripts/board/schema.ts";
import { schemaText } from "../../../scripts/board/schema-text.ts";
import { createValidator } from "../../../scripts/board/validate.ts";
import { listBoards } from "../../../scripts/build/boards.mjs";

const root = join(import.meta.dirname, "..", "..", "..");
const boards = join(root, "boards");

type Described = Static<typeof BOARD>;
type DeviceNames = Exclude<keyof Described, "$schema" | "chip" | "flashMegabytes">;

/** Compiles only while schema and firmware/config.ts name the same properties, of shapes that fit. */
const asFirmware = (board: Described): Board => board as Pick<Described, DeviceNames> as Board;
const sameNames: [Exclude<keyof Board, DeviceNames>, Exclude<DeviceNames, keyof Board>] extends [
  never,
  never,
]
  ? true
  : false = true;

type Property = TSchema & {
  title?: string;
  description?: string;
  examples?: unknown[];
  const?: unknown;
  properties?: Record<string, Property>;
  items?: Property;
  anyOf?: Property[];
};

/** A property with the path to it; in a sensor that of its driver. */
interface Place {
  path: string[];
  schema: Property;
  driver?: string;
}

function propertiesOf(schema: Property, path: string[] = [], driver?: string): Place[] {
  const name = schema.properties?.driver?.const as string | undefined;
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const at = { path: [...path, key], schema: inner };
    const whose = name ?? driver;
    const place = whose === undefined ? at : { ...at, driver: whose };
    return [place, ...propertiesOf(inner, place.path, whose)];
  });
  const items = schema.items === undefined ? [] : propertiesOf(schema.items, path, driver);
  const others = (schema.anyOf ?? []).flatMap((one) => propertiesOf(one, path, driver));
  return [...own, ...items, ...others];
}

const all = propertiesOf(BOARD as unknown as Property).map((place) => ({
  ...place,
  title: [...(place.driver ? [place.driver] : []), ...place.path].join("."),
}));

describe("the schema", () => {
  it("names what the firmware knows", () => {
    expect(sameNames).toBe(true);
    expect(asFirmware).toBeTypeOf("function");
  });

  it("is what boards/board.schema.json says (npm run schema)", () => {
    const written = JSON.parse(readFileSync(join(boards, "board.schema.json"), "utf8"));
    expect(written).toEqual(JSON.parse(schemaText()));
  });

  it("explains every property", () => {
    expect(all.length).toBeGreaterThan(20);
    const bare = all.filter(
      ({ schema }) => !schema.title || !schema.description || !schema.examples?.length,
    );
    expect(bare.map(({ title }) => title)).toEqual([]);
  });

  it("knows the drivers that there are", () => {
    const folder = join(root, "firmware", "sensors");
    const drivers = readdirSync(folder)
      .filter((file) =>
        /export function createSensor\b/.test(readFileSync(join(folder, file), "utf8")),
      )
      .map((file) => basename(file, ".ts"));
    expect(DRIVERS.map(({ name }) => name).sort()).toEqual(drivers.sort());
  });
});

describe("the boards here", () => {
  const validate = createValidator();
  it.each(listBoards(boards))("%s is right", (name) => {
    expect(validate(readFileSync(join(boards, `${name}.json`), "utf8"), name)).toEqual([]);
  });
});

/** Nested objects around a property, with `inner` where it stands; in a sensor its driver before it. */
function textAround({ path, driver }: Place, inner: string): string {
  const isDriver = path.length === 2 && path[1] === "driver";
  return path.slice(0, -1).reduceRight((text, name) => {
    if (name !== "sensors") return `{"${name}":${text}}`;
    const own = isDriver ? text : `{"driver":"${driver}",${text.slice(1)}`;
    return `{"sensors":[${own}]}`;
  }, `{${inner}}`);
}

function editor(text: string): {
  service: LanguageService;
  document: TextDocument;
  json: JSONDocument;
} {
  const service = getLanguageService({
    // As an editor does for the `$schema` of a file.
    schemaRequestService: async () => schemaText(),
    workspaceContext: { resolveRelativePath: (path, from) => new URL(path, from).href },
  });
  const schema = JSON.parse(schemaText());
  service.configure({ schemas: [{ uri: "test://board", fileMatch: ["*.json"], schema }] });
  const document = TextDocument.create("test://boards/bench.json", "json", 1, text);
  return { service, document, json: service.parseJSONDocument(document) };
}

describe("an editor", () => {
  it.each(all.map((place) => [place.title, place] as const))("completes %s", async (_, place) => {
    const text = textAround(place, "|");
    const { service, document, json } = editor(text.replace("|", ""));
    const found = await service.doComplete(document, document.positionAt(text.indexOf("|")), json);
    expect(found?.items.map(({ label }) => label)).toContain(place.path.at(-1));
  });

  it.each(all.map((place) => [place.title, place] as const))("explains %s", async (_, place) => {
    const { path, schema } = place;
    const property = `"${path.at(-1)}":`;
    const text = textAround(place, `${property}${JSON.stringify(schema.examples?.[0])}`);
    const { service, document, json } = editor(text);
    const at = document.positionAt(text.lastIndexOf(property) + 1);
    const hover = await service.doHover(document, at, json);
    // Without the marks that keep Markdown from reading something into it.
    const words = `${JSON.stringify(hover?.contents)}`.replaceAll("\\", "");
    expect(words).toContain(schema.title);
    expect(words).toContain(`${schema.description}`.split(/[`_*:<>]/)[0]?.trim());
  });
});
