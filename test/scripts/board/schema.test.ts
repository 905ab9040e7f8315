import { existsSync, readdirSync, readFileSync } from "node:fs";
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
import { I2C_DRIVERS, OTHER_DRIVERS } from "../../../scripts/board/drivers.ts";
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
  properties?: Record<string, Property>;
  items?: Property;
  anyOf?: Property[];
};

/** Every property with the path to it; in lists of alternatives each of them. */
function propertiesOf(
  schema: Property,
  path: string[] = [],
): { path: string[]; schema: Property }[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => [
    { path: [...path, name], schema: inner },
    ...propertiesOf(inner, [...path, name]),
  ]);
  const items = schema.items === undefined ? [] : propertiesOf(schema.items, path);
  return [...own, ...items, ...(schema.anyOf ?? []).flatMap((one) => propertiesOf(one, path))];
}

const all = propertiesOf(BOARD as unknown as Property);

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
    expect(bare.map(({ path }) => path.join("."))).toEqual([]);
  });

  it("knows the drivers that there are", () => {
    const names = [...I2C_DRIVERS, ...OTHER_DRIVERS].map(
      ({ properties }) => properties.driver.const,
    );
    const files = readdirSync(join(root, "firmware", "sensors")).map((file) =>
      basename(file, ".ts"),
    );
    expect(files.filter((file) => (names as string[]).includes(file)).sort()).toEqual(
      [...names].sort(),
    );
    expect(names.every((name) => existsSync(join(root, "firmware", "sensors", `${name}.ts`)))).toBe(
      true,
    );
  });
});

describe("the boards here", () => {
  const validate = createValidator();
  it.each(listBoards(boards))("%s is right", (name) => {
    expect(validate(readFileSync(join(boards, `${name}.json`), "utf8"), name)).toEqual([]);
  });
});

const SENSOR = "sht3x";

/** Nested objects around a property, with `inner` where its name stands. */
function textAround(path: string[], inner: string): string {
  const [first, ...rest] = path;
  if (rest.length === 0 || first === undefined) return `{${inner}}`;
  const nested = textAround(rest, inner);
  return first === "sensors" ? `{"sensors":[${nested}]}` : `{"${first}":${nested}}`;
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
  it.each(all.map(({ path }) => path.join(".")))("completes %s", async (joined) => {
    const path = joined.split(".");
    const text = textAround(path, "");
    const { service, document, json } = editor(text);
    const position = document.positionAt(text.indexOf("{}") + 1);
    const found = await service.doComplete(document, position, json);
    expect(found?.items.map(({ label }) => label)).toContain(path.at(-1));
  });

  it.each(all.map(({ path, schema }) => [path.join("."), schema] as const))(
    "explains %s",
    async (joined, schema) => {
      const path = joined.split(".");
      const name = path.at(-1) as string;
      const driver =
        [...I2C_DRIVERS, ...OTHER_DRIVERS].find(({ properties }) =>
          Object.values(properties).includes(schema as never),
        )?.properties.driver.const ?? SENSOR;
      const inner =
        name === "driver"
          ? `"driver":"${driver}"`
          : `"${name}":${JSON.stringify(schema.examples?.[0])}`;
      const full =
        path[0] === "sensors" && name !== "driver" && path.length > 1
          ? `"driver":"${driver}",${inner}`
          : inner;
      const text = textAround(path, full);
      const { service, document, json } = editor(text);
      const at = document.positionAt(text.lastIndexOf(`"${name}"`) + 1);
      const hover = await service.doHover(document, at, json);
      const words = JSON.stringify(hover?.contents).replace(/\\\\?/g, "");
      expect(words).toContain(`${schema.description}`.split(/[:.,]/)[0]);
    },
  );
});
