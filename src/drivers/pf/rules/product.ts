import type { Way } from "../../../runtime/way.ts";
import type { IsOurs } from "./filter-chain.ts";

/** What a product brings to the reading of its pf. */
export type PfProduct = {
  /** The rules for IPv6 that it makes by itself, as pfctl(8) prints them: before those of people, and after. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Types of ICMPv6 that it lets through everywhere, which nobody can switch off and none of which opens a flow. */
  readonly unasked: readonly number[];
  /** How rules that are ours are known among those that are loaded. */
  isOurs(way: Way, signal?: AbortSignal): Promise<IsOurs>;
  /** A rule of ours by its labels, as the product writes them. */
  readonly labels: (name: string) => string;
};
