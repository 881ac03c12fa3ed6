import type { Address } from "../net/address.ts";

type Holder = { readonly container: string; readonly network: string; readonly since: number };

/**
 * Who has an address. The engine gives a freed one away before it tells that it is free, so for a moment two may seem
 * to have it: then it belongs to the one that came later, and to nobody when that can't be told.
 */
export class AddressOwners {
  /** Nearly always one holder. */
  readonly #holders = new Map<Address, readonly Holder[]>();

  /** Gives the containers whose ownership may have changed. */
  add(address: Address, container: string, network: string, since: number): Iterable<string> {
    const others = this.#without(address, container, network);
    this.#holders.set(address, [...others, { container, network, since }]);
    return others.map((each) => each.container);
  }

  remove(address: Address, container: string, network: string): Iterable<string> {
    const others = this.#without(address, container, network);
    if (others.length === 0) this.#holders.delete(address);
    else this.#holders.set(address, others);
    return others.map((each) => each.container);
  }

  owns(address: Address, container: string, network: string): boolean {
    const holders = this.#holders.get(address) ?? [];
    const own = holders.find((each) => each.container === container && each.network === network);
    if (own === undefined) return false;
    return holders.every((each) => each === own || each.since < own.since);
  }

  #without(address: Address, container: string, network: string): readonly Holder[] {
    const holders = this.#holders.get(address) ?? [];
    return holders.filter((each) => each.container !== container || each.network !== network);
  }
}
