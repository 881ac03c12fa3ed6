import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { fleetJsonSchema } from "./json-schema.ts";
import { parseFleet } from "./parse-fleet.ts";

const folder = join(import.meta.dirname, "../../examples");
const examples = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const accepts = new Ajv({ strict: true, strictTypes: false }).compile(fleetJsonSchema());

test.each(examples)("parseFleet reads examples/%s without an error", (name) => {
  const parsed = parseFleet(readFileSync(join(folder, name), "utf8"), name);
  expect(parsed).toMatchObject({ ok: true });
  const expected = name === "article-literal.yaml" ? ["W201"] : [];
  if (parsed.ok) expect(parsed.warnings.map((each) => each.code)).toEqual(expected);
});

test.each(examples)("fleetJsonSchema accepts examples/%s", (name) => {
  const valid = accepts(parse(readFileSync(join(folder, name), "utf8")));
  expect(accepts.errors ?? []).toEqual([]);
  expect(valid).toBe(true);
});

test.each([
  ["an unknown key", { prefx: "2001:db8::/64" }],
  ["a missing key", { gateway: undefined }],
  ["a port out of range", { openings: [{ to: "vm1/web", ports: [65_536], from: "any" }] }],
  ["a word that is no choice", { policy: { egress: "ajar" } }],
])("fleetJsonSchema refuses %s", (_, change) => {
  const sound = parse(readFileSync(join(folder, "lab.yaml"), "utf8")) as object;
  expect(accepts({ ...sound, ...change })).toBe(false);
});

test("fleetJsonSchema is draft 7 with a text on every key", () => {
  const schema = fleetJsonSchema();
  expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
  const bare: string[] = [];
  function walk(at: typeof schema, path: string): void {
    for (const [key, each] of Object.entries(at.properties ?? {})) {
      if ((each.description ?? "").length < 10) bare.push(`${path}.${key}`);
      walk(each, `${path}.${key}`);
    }
    if (typeof at.additionalProperties === "object") walk(at.additionalProperties, `${path}.*`);
    if (at.items !== undefined) walk(at.items, `${path}[]`);
  }
  walk(schema, "");
  expect(bare).toEqual([]);
});
