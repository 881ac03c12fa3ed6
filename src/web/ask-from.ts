import { readSource } from "../fleet/field-kinds.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { type Prefix, prefix } from "../net/prefix.ts";
import { turned } from "./answer.ts";

const anywhere = prefix("::/0");

/**
 * The prefixes of `any`, a group (`office` or `@office`, as labels write it), a prefix or an address. `at` names the
 * field in errors.
 */
export function sourcesOf(words: readonly string[], fleet: Fleet, at: string): readonly Prefix[] {
  return [...new Set(words.flatMap((word, i) => sourceOf(word, fleet, `${at}.${i}`)))];
}

function sourceOf(word: string, fleet: Fleet, at: string): readonly Prefix[] {
  if (word === "any" || word === "internet") return [anywhere];
  const group = fleet.groups.get(word.replace(/^@/, ""));
  if (group !== undefined && group.length > 0) return group;
  if (group !== undefined)
    throw turned(400, "E955", at, `Group ${JSON.stringify(word)} is empty`, "add prefixes to it in the fleet file");
  if (word.startsWith("@") || !/[:./]/.test(word))
    throw turned(
      400,
      "E955",
      at,
      `Unknown group ${JSON.stringify(word)}`,
      `name ${[...fleet.groups.keys(), "any"].join(", ")}, or an IPv6 prefix`,
    );
  const read = readSource(word);
  if ("value" in read) return [read.value];
  throw turned(400, "E955", at, read.text, read.fix);
}
