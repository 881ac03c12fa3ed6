import type { NetworkName } from "../base/name.ts";
import type { PlanRules } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import { copyWords, formatWords } from "../net/packed.ts";
import { type Prefix, parsePrefixWords, prefixAt } from "../net/prefix.ts";
import type { HostPlan, NetworkPlan } from "./address-plan.ts";

type Numbered = { readonly name: NetworkName; readonly index: number };
type Ends = Pick<HostPlan, "slot" | "block" | "link" | "gateway" | "address">;

export type Layout = {
  /** Block number `slot` and the addresses on its link. */
  readonly at: (slot: number) => Ends;
  /** The same with its networks: Docker's default bridge first, then `networks`, which are sorted. */
  readonly block: (slot: number, networks: readonly Numbered[]) => Ends & Pick<HostPlan, "networks">;
};

const defaultBridge = "default" as NetworkName;

/**
 * The arithmetic of one fleet: numbers in, prefixes out. In words, not texts: a full /64 has 57,316 networks.
 * Numbers have to be within their lengths (not checked); higher bits would spill into the prefix.
 */
export function layout(delegated: Prefix, lengths: PlanRules): Layout {
  const base = new Uint32Array(4);
  const words = new Uint32Array(8);
  parsePrefixWords(delegated, base, 0);

  /** The block goes to words 0-3; words 4-7 are for what lies in it. */
  function at(slot: number): Ends {
    copyWords(base, 0, words, 0);
    addNumber(words, 0, lengths.host, slot);
    return {
      slot,
      block: prefixAt(words, 0, lengths.host),
      link: prefixAt(words, 0, lengths.link),
      gateway: addressIn(0, 1),
      address: addressIn(0, 2),
    };
  }
  /** Address number `n` of the prefix at `from`, whose last word has room for it. */
  function addressIn(from: number, n: number): Address {
    copyWords(words, from, words, 4);
    addNumber(words, 4, 128, n);
    return formatWords(words, 4) as Address;
  }
  function network({ name, index }: Numbered): NetworkPlan {
    copyWords(words, 0, words, 4);
    addNumber(words, 4, lengths.network, index);
    const prefix = prefixAt(words, 4, lengths.network);
    addNumber(words, 4, 128, 1);
    return { name, index, prefix, gateway: formatWords(words, 4) as Address };
  }
  return {
    at,
    block(slot, networks) {
      const ends = at(slot);
      return { ...ends, networks: [network({ name: defaultBridge, index: 1 }), ...networks.map(network)] };
    },
  };
}

/** Puts `n` (0 to 2^53 - 1) into the bits that end at bit `length` of the address at `words[at]`; they have to be zero. */
export function addNumber(words: Uint32Array, at: number, length: number, n: number): void {
  let rest = n;
  let shift = 128 - length;
  while (rest > 0) {
    const word = at + 3 - Math.floor(shift / 32);
    const room = 32 - (shift % 32);
    const part = rest % 2 ** room;
    words[word] = ((words[word] ?? 0) | (part << (shift % 32))) >>> 0;
    rest = (rest - part) / 2 ** room;
    shift += room;
  }
}
