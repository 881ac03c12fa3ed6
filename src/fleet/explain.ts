import { nearest } from "../base/nearest.ts";
import { type JsonSchema, keysAt, mapIn, schemaAt } from "./json-schema.ts";

/** What a key of the fleet file means. */
export type Explanation = {
  /** As asked, in its parts: `hosts`, `*`, `docker`. */
  readonly path: readonly string[];
  readonly text: string;
  /** `text`, `number`, `true or false`, `map`, `map by name`, `list`, or the choices. */
  readonly kind: string;
  readonly required: boolean;
  /** The keys below with the first sentence of each. */
  readonly keys: readonly { readonly key: string; readonly text: string; readonly required: boolean }[];
};

/**
 * Explains `hosts.*.docker.profile`; any name stands for `*`, and `[0]` or `*` for an entry of a list. The empty
 * path is the whole file. Undefined when there is no such key; `nearestPath` has a proposal then.
 */
export function explainField(dotted: string): Explanation | undefined {
  const path = partsOf(dotted);
  const schema = schemaAt(path);
  if (schema === undefined) return undefined;
  const below = schema.items?.properties === undefined ? mapBelow(schema) : schema.items;
  const last = path.at(-1);
  const parent = schemaAt(path.slice(0, -1));
  return {
    path: path.map((part) => (typeof part === "number" ? "*" : part)),
    text: schema.description ?? parent?.description ?? schema.title ?? "",
    kind: kindOf(schema),
    required: typeof last === "string" && isRequired(parent, last),
    keys: Object.entries(below.properties ?? {}).map(([key, each]) => ({
      key,
      text: firstSentence(each.description ?? ""),
      required: isRequired(below, key),
    })),
  };
}

/** `hosts.*.docker.profil` gives `hosts.*.docker.profile`: the first part that isn't known, replaced. */
export function nearestPath(dotted: string): string | undefined {
  const path = partsOf(dotted);
  for (let i = 0; i < path.length; i++) {
    if (schemaAt(path.slice(0, i + 1)) !== undefined) continue;
    const known = nearest(String(path[i]), keysAt(path.slice(0, i)));
    return known === undefined
      ? undefined
      : [...path.slice(0, i).map((part) => (part === 0 ? "*" : String(part))), known, ...path.slice(i + 1)].join(".");
  }
  return undefined;
}

function partsOf(dotted: string): readonly (string | number)[] {
  const words = dotted
    .replaceAll(/\[[0-9*]+\]/g, ".*")
    .split(".")
    .filter((word) => word !== "");
  const parts: (string | number)[] = [];
  for (const each of words) {
    const isList = schemaAt(parts)?.items !== undefined;
    parts.push(isList && (each === "*" || /^[0-9]+$/.test(each)) ? 0 : each);
  }
  return parts;
}

function mapBelow(schema: JsonSchema): JsonSchema {
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : mapIn(schema);
}

function isRequired(schema: JsonSchema | undefined, key: string): boolean {
  return schema !== undefined && (mapIn(schema).required?.includes(key) ?? false);
}

function kindOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  if (schema.type === "array") return "list";
  if (schema.type === "object") return schema.properties === undefined ? "map by name" : "map";
  if (schema.type === "boolean") return "true or false";
  return schema.type === "integer" || schema.type === "number" ? "number" : "text";
}

function firstSentence(text: string): string {
  return /^.*?[.](?= [A-Z]|$)/.exec(text)?.[0] ?? text;
}
