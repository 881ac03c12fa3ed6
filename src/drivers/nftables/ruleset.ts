import { createHash } from "node:crypto";
import type { HostName } from "../../base/name.ts";

/** The one table that is ours. Whatever is in it and not planned is drift; every other table is left alone. */
export const table = "inet sixgate";

/** One rule in nft's own syntax, without comment, and why it is there (for people; not part of the rule). */
export type Rule = { readonly text: string; readonly why: string };

export type Hook = {
  readonly type: "filter" | "nat";
  readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
  readonly priority: number;
  readonly policy: "accept" | "drop";
};

export type Chain = {
  readonly name: string;
  /** Present on a base chain. */
  readonly hook?: Hook;
  readonly why: string;
  readonly rules: readonly Rule[];
};

/** A set, or with `kind: "map"` a verdict map. `type` lists the fields of the key. */
export type SetShape = {
  readonly name: string;
  readonly kind: "set" | "map";
  readonly type: readonly string[];
  readonly flags: readonly ("interval" | "timeout")[];
  readonly why: string;
};

/** `key` is the element in nft's syntax, fields between ` . `; `target` the chain that a map's element goes to. */
export type Element = {
  readonly set: string;
  readonly key: string;
  readonly target?: string;
  readonly lane: "structure" | "members";
};

/** Everything in the table. Chains and sets in the order in which people should read them. */
export type Ruleset = {
  readonly sets: readonly SetShape[];
  readonly chains: readonly Chain[];
  readonly elements: readonly Element[];
};

/**
 * The part of a chain's name that stands for a host. A host's name has only a-z, 0-9 and `-`, so no two
 * hosts share it.
 */
export function nameOf(host: HostName): string {
  return host.replaceAll("-", "_");
}

/** The comment that marks a rule as ours: a hash of its text and nothing that came from outside. */
export function commentOf(rule: Rule): string {
  return `sixgate ${hashOf(rule.text)}`;
}

/** The first 32 bits of SHA-256, in hex. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** A rule as it is sent. */
export function ruleLine(rule: Rule): string {
  return `${rule.text} comment "${commentOf(rule)}"`;
}

const interfacePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/;

/** What the kernel takes (IFNAMSIZ 16 with the final zero) and nft reads as nothing but a name: `*` is a wildcard to it. */
export function isInterfaceName(name: string): boolean {
  return interfacePattern.test(name);
}

/** An interface's name in quotes. Throws a RangeError where `audit` would have refused it. */
export function quoteInterface(name: string): string {
  if (!isInterfaceName(name)) throw new RangeError(`Not an interface name: ${JSON.stringify(name)}`);
  return `"${name}"`;
}
