import { createHash } from "node:crypto";
import type { Prefix } from "../../net/prefix.ts";
import type { Service } from "../../openings/opening.ts";

/** What every description of an object of ours begins with. pf prints it with the rule, so people see whose it is. */
export const mark = "sixgate: ";

/** Names of our aliases, and so of pf's tables, begin so; a table of another name is never ours. */
export const aliasPrefix = "sg";

export const anywhere = "::/0" as Prefix;

/** Whose members: `f` what the fleet file opens; `l` what labels and people open, `t` that until an end. */
export type Lane = "f" | "l" | "t";

/**
 * The alias, and pf's table, with the addresses at which a service is open to the same sources: `sgf_tcp_443`,
 * `sgl_udp_8000_8099_1a2b3c4d`. 31 characters at most, letters, digits and `_`: what both products take.
 */
export function serviceAlias(lane: Lane, service: Service, from: readonly Prefix[]): string {
  const sources = isAnywhere(from) ? "" : `_${hashOf(from.join(" "))}`;
  return `${aliasPrefix}${lane}_${wordsOf(service)}${sources}`;
}

/** The alias with several sources of an opening. Those of labels and people are not `apply`'s: it takes away its own. */
export function sourceAlias(lane: Lane, from: readonly Prefix[]): string {
  return `${aliasPrefix}${lane === "f" ? "_from" : "s"}_${hashOf(from.join(" "))}`;
}

export function isAnywhere(from: readonly Prefix[]): boolean {
  return from.includes(anywhere);
}

/** The first 32 bits of SHA-256, in hex. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function wordsOf(service: Service): string {
  if (service.kind === "ping") return "ping";
  const { first, last } = service.ports;
  return `${service.transport}_${first === last ? first : `${first}_${last}`}`;
}

export function isAliasOfLane(name: string, lane: Lane): boolean {
  return name.startsWith(`${aliasPrefix}${lane}_`);
}

/** The alias of the lane that is always empty. */
export const laneNone = "sgs_none";

/** Whether an alias is of the members lane, which `apply` and its undo leave alone. */
export function isLaneAlias(name: string): boolean {
  return /^sg[lts]_/.test(name);
}

/** The same of a rule, by its name. */
export function isLaneRule(name: string): boolean {
  return /^pass \S+ sg[lt]_/.test(name);
}

/** Whether a description is one that we wrote. */
export function isMarked(description: string): boolean {
  return description.startsWith(mark);
}
