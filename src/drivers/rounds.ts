import type { Address } from "../net/address.ts";
import type { AddressChange } from "./members-lane.ts";

/**
 * Changes of one address in turn, of different ones together. An address that goes from one container to another is
 * closed in the first round, flows and all, and opened in the second: nobody inherits.
 */
export function roundsOf(changes: readonly AddressChange[]): readonly (readonly AddressChange[])[] {
  const rounds: AddressChange[][] = [];
  const seen = new Map<Address, number>();
  for (const change of changes) {
    const round = seen.get(change.to) ?? 0;
    seen.set(change.to, round + 1);
    const there = rounds[round];
    if (there === undefined) rounds.push([change]);
    else there.push(change);
  }
  return rounds;
}
