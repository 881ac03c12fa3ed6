import type { HostName } from "../base/name.ts";
import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import type { Address } from "../net/address.ts";
import { type Prefix, prefixOf } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import { formatSource, type Source } from "./source.ts";

/** Where names of sources are looked up. */
export type SourceNames = {
  /** The fleet file's. */
  readonly groups: ReadonlyMap<string, readonly Prefix[]>;
  /** The addresses of all running containers with that name or of that Compose project; on one host, if it is named. */
  readonly containers: (name: string, host: HostName | undefined) => readonly Address[];
};

/** The most prefixes that the sources of one request may come to. */
export const mostSources = 256;

/**
 * The sources as the fewest prefixes that hold them, never empty. A container that is not there now adds nothing, and
 * comes in when it does. E917 for a group that the fleet file does not have, for sources of which none is there, and
 * for too many.
 */
export function resolveSources(sources: readonly Source[], names: SourceNames): Read<readonly Prefix[]> {
  const all: Prefix[] = [];
  for (const source of sources) {
    if (source.kind === "prefix") all.push(source.prefix);
    else if (source.kind === "containers") {
      const addresses = names.containers(source.name, source.host as HostName | undefined);
      if (addresses.length > mostSources) return tooMany(addresses.length);
      all.push(...addresses.map((each) => prefixOf(each, 128)));
    } else {
      const group = names.groups.get(source.name);
      if (group === undefined) return unknownGroup(source.name, names);
      all.push(...group);
    }
  }
  const found = all.length > 1 ? PrefixSet.of(all).prefixes() : all;
  if (found.length > mostSources) return tooMany(found.length);
  if (found.length > 0) return { value: found };
  const said = sources.slice(0, 8).map(formatSource).join(", ");
  const waits = sources.some((each) => each.kind === "containers");
  const fix = waits ? "it opens when such a container runs" : "add prefixes to the group in the fleet file";
  return wrong("E917", `Nobody is there now that ${said} stands for`, fix);
}

function unknownGroup(name: string, names: SourceNames): Read<never> {
  const text = `Unknown group ${quote(`@${name}`)}${didYouMean(name, names.groups.keys())}`;
  return wrong("E917", text, "name a key of the fleet file's groups");
}

function tooMany(count: number): Read<never> {
  return wrong("E917", `Sources come to ${count} prefixes`, `name fewer, at most ${mostSources}`);
}
