import type { z } from "zod";
import type { Code } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { didYouMean, nearest } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Wrong, wrong } from "../base/wrong.ts";
import { kindOf, notName } from "./field.ts";
import { keysAt, schemaAt } from "./json-schema.ts";
import type { Path, Places } from "./places.ts";

type Issue = z.core.$ZodIssue;

/** What zod found, in our words, with code, place and fix. One issue can hold several unknown keys. */
export function describeIssue(issue: Issue, value: unknown, places: Places): readonly Diagnostic[] {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, places));
  const found = valueAt(value, path);
  const { code, text, fix } = reason(issue, path, found);
  const place = issue.code === "invalid_key" ? places.atKey(path) : places.at(path);
  return [{ code, severity: "error", at: place, text, fix }];
}

function reason(issue: Issue, path: Path, found: unknown): Wrong {
  if (issue.code === "custom") return custom(issue, path);
  if (issue.code === "invalid_key") return badKey(path);
  if (found === undefined) return missing(path);
  if (issue.code === "invalid_value") return badChoice(path, issue.values, found);
  if (issue.code === "invalid_type") {
    return wrong(
      "E112",
      `Expected ${expected(issue.expected)}, found ${kindOf(found)}`,
      typeFix(issue.expected, found),
    );
  }
  if (issue.code === "too_small")
    return wrong("E112", `Too small: ${kindOf(found)}, at least ${String(issue.minimum)}`, "give more");
  if (issue.code === "too_big")
    return wrong("E112", `Too big: ${kindOf(found)}, at most ${String(issue.maximum)}`, "give less");
  return wrong("E112", `${issue.message}, found ${kindOf(found)}`, "see `sixgate explain` for this key");
}

function custom(issue: Issue & { readonly code: "custom" }, path: Path): Wrong {
  const { code, fix } = (issue.params ?? {}) as { readonly code?: Code; readonly fix?: string };
  if (code === "E111") return missing(path);
  return wrong(code ?? "E112", issue.message, fix ?? "see `sixgate explain` for this key");
}

function missing(path: Path): Wrong {
  const meaning = schemaAt(path)?.description;
  return wrong(
    "E111",
    `Key missing: ${quote(String(path.at(-1)))}`,
    `add it${meaning === undefined ? "" : `. ${meaning}`}`,
  );
}

function badKey(path: Path): Wrong {
  const key = String(path.at(-1));
  const owner = path.at(-2);
  if (owner === "bridges")
    return wrong(
      "E122",
      `Not an interface name: ${quote(key)}`,
      "use the kernel's name: a letter, then letters, digits, _ . -, 15 at most",
    );
  if (owner === "containers")
    return wrong(
      "E113",
      `Not a container name: ${quote(key)}`,
      "use letters, digits, _ . -, 1 to 63 characters, a letter or digit first",
    );
  return notName(key);
}

function badChoice(path: Path, values: readonly unknown[], found: unknown): Wrong {
  if (path.length === 1 && path[0] === "sixgate") {
    return wrong(
      "E124",
      `Unknown format version: ${kindOf(found)}`,
      `write sixgate: ${values.map(String).join(" or ")}, or use the sixgate that wrote this file`,
    );
  }
  const words = values.map(String);
  const hint = typeof found === "string" ? didYouMean(found, words) : "";
  return wrong("E125", `Not one of the choices: ${kindOf(found)}${hint}`, `use ${words.join(", ")}`);
}

function unknownKey(path: Path, key: string, places: Places): Diagnostic {
  const known = keysAt(generic(path));
  const near = nearest(key, known);
  return {
    code: "E110",
    severity: "error",
    at: places.atKey([...path, key]),
    text: `Unknown key ${quote(key)}${didYouMean(key, known)}`,
    fix: near === undefined ? `use one of ${known.join(", ")}` : `write ${near}`,
  };
}

function generic(path: Path): Path {
  return path.map((part) => (typeof part === "number" ? 0 : part));
}

function expected(kind: string): string {
  if (kind === "object") return "a map";
  if (kind === "record") return "a map by name";
  if (kind === "array") return "a list";
  if (kind === "boolean") return "true or false";
  return kind === "int" || kind === "number" ? "a whole number" : "text";
}

function typeFix(kind: string, found: unknown): string {
  if (found === null && (kind === "object" || kind === "record")) return "write {} for a map with nothing in it";
  if (kind === "array") return "write it in brackets: [ … ]";
  if (kind === "object" || kind === "record") return "write keys and values, indented, below it";
  return kind === "boolean" ? "write true or false" : "write one value of that kind here";
}

function pathOf(issue: Issue): Path {
  return issue.path.map((part) => (typeof part === "number" ? part : String(part)));
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[part];
  }
  return at;
}
