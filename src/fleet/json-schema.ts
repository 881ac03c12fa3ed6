import { z } from "zod";
import { fleetSchema } from "./schema.ts";

/** One node of a JSON Schema of draft 7, as far as the fleet file's schema uses it. */
export type JsonSchema = {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
};

let made: JsonSchema | undefined;

/** The fleet file's JSON Schema, draft 7: what YAML editors read. Looser than `parseFleet`, which compares values too. */
export function fleetJsonSchema(): JsonSchema {
  made ??= {
    title: "sixgate fleet file",
    ...(z.toJSONSchema(fleetSchema, { target: "draft-7", io: "input" }) as JsonSchema),
  };
  return made;
}

/** The schema of the value at a path; names and `*` lead into maps, numbers into lists. Undefined where nothing can be. */
export function schemaAt(path: readonly (string | number)[]): JsonSchema | undefined {
  let at: JsonSchema | undefined = fleetJsonSchema();
  for (const part of path) at = at === undefined ? undefined : inside(at, part);
  return at;
}

/** The map that a value is or can be, where it has a short form too; the schema itself where it can't be one. */
export function mapIn(schema: JsonSchema): JsonSchema {
  return schema.anyOf?.find((each) => each.properties !== undefined) ?? schema;
}

function inside(node: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === "number") return node.items;
  const schema = mapIn(node);
  if (schema.properties !== undefined)
    return Object.hasOwn(schema.properties, part) ? schema.properties[part] : undefined;
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** The keys that the map at a path may have; empty where people choose them. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  return Object.keys(mapIn(schemaAt(path) ?? {}).properties ?? {});
}
