import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Prefix } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import { readSource } from "../openings/source.ts";
import { turned } from "./answer.ts";

/**
 * The prefixes of what people name: `any`, a group (`office` as in the fleet file or `@office` as in labels), a prefix
 * or an address; the fewest. No containers: an opening of a person would outlive their addresses. `at` names the field
 * in errors.
 */
export function sourcesOf(words: readonly string[], fleet: Fleet, at: string): readonly Prefix[] {
  return PrefixSet.of(words.flatMap((word, i) => sourceOf(word, fleet, `${at}.${i}`))).prefixes();
}

function sourceOf(word: string, fleet: Fleet, at: string): readonly Prefix[] {
  const bare = fleet.groups.get(word);
  if (bare !== undefined) return notEmpty(bare, word, at);
  const read = readSource(word === "internet" ? "any" : word);
  if (!("value" in read)) throw turned(400, "E955", at, read.text, read.fix);
  const source = read.value;
  if (source.kind === "prefix") return [source.prefix];
  if (source.kind === "containers")
    throw turned(
      400,
      "E955",
      at,
      `A container is no source here: ${quote(word)}`,
      "let a label ask for it, or name an address",
    );
  const group = fleet.groups.get(source.name);
  if (group !== undefined) return notEmpty(group, word, at);
  const known = [...fleet.groups.keys()];
  const text = `Unknown group ${quote(word)}${didYouMean(source.name, known)}`;
  throw turned(
    400,
    "E955",
    at,
    text,
    `name any, a prefix${known.length === 0 ? "" : `, or one of ${known.map((name) => `@${name}`).join(", ")}`}`,
  );
}

function notEmpty(group: readonly Prefix[], word: string, at: string): readonly Prefix[] {
  if (group.length > 0) return group;
  throw turned(400, "E955", at, `Group ${quote(word)} is empty`, "add prefixes to it in the fleet file");
}
